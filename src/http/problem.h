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
    PROBLEM_NOT_IDLE,
    PROBLEM_CANNOT_CANCEL,
    PROBLEM_CANNOT_RELOAD,
    PROBLEM_CANNOT_UPGRADE,
    PROBLEM_CONFIG_REFUSED,
    PROBLEM_GONE,
    PROBLEM_TOO_LARGE,
    PROBLEM_KEY_REUSED,
    PROBLEM_NEVER_FITS,
    PROBLEM_QUEUE_FULL,
    PROBLEM_CLOSING,
    PROBLEM_JOURNAL_UNAVAILABLE,
    PROBLEM_COUNT,
};
#define PROBLEM_BIT(code) (1u << (code)) /* for sets of them */

struct problem_kind {
    const char *code;
    unsigned status;
    const char *title;
    const char *retry_after; /* seconds; NULL: asking again does not help */
};
const struct problem_kind *problem_kind(enum problem_code code);

/* {"type","title","status","code","detail","instance"} and a newline. */
void problem_json(enum problem_code code, const char *detail, const char *instance, struct text *t);
