/* problem - every way a request is refused: one closed list of codes, each with its status; the
 * body is RFC 9457's application/problem+json.
 * Threads: any; the table is constant. */
#pragma once

#include "base/text.h"

enum problem_code {
    PROBLEM_BAD_PARAMETER,
    PROBLEM_BAD_BODY,
    PROBLEM_NOT_JSON,
    PROBLEM_UNAUTHENTICATED,
    PROBLEM_FORBIDDEN,
    PROBLEM_NOT_FOUND,
    PROBLEM_UNKNOWN_SERVICE,
    PROBLEM_UNKNOWN_OPERATION,
    PROBLEM_METHOD_NOT_ALLOWED,
    PROBLEM_CANNOT_CANCEL,
    PROBLEM_CONFIG_REFUSED,
    PROBLEM_GONE,
    PROBLEM_TOO_LARGE,
    PROBLEM_QUEUE_FULL,
    PROBLEM_CLOSING,
    PROBLEM_JOURNAL_UNAVAILABLE,
    PROBLEM_COUNT,
};

struct problem_kind {
    const char *code;
    unsigned status;
    const char *title;
    const char *retry_after; /* seconds; NULL: asking again does not help */
};
const struct problem_kind *problem_kind(enum problem_code code);

/* {"type","title","status","code","detail","instance"} and a newline. */
void problem_json(enum problem_code code, const char *detail, const char *instance, struct text *t);
