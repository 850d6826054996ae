/* query - the parameters of a request, from its query or its JSON body: one table says what each
 * may be; everything unknown, repeated or out of range is refused.
 * Threads: none, plain values. Ownership: nothing to free. */
#pragma once

#include "base/error.h"
#include "core/supervisor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum parameter {
    PARAMETER_WAIT = 1 << 0,
    PARAMETER_TIMEOUT = 1 << 1,
    PARAMETER_SERVICE = 1 << 2,
    PARAMETER_STATE = 1 << 3,
    PARAMETER_BEFORE = 1 << 4,
    PARAMETER_LIMIT = 1 << 5,
    PARAMETER_SINCE = 1 << 6,
    PARAMETER_LINES = 1 << 7,
    PARAMETER_FOLLOW = 1 << 8,
    PARAMETER_STRICT = 1 << 9,
    PARAMETER_LEAVE = 1 << 10,
    PARAMETER_MODE = 1 << 11,
    PARAMETER_COALESCE = 1 << 12,
    PARAMETER_REASON = 1 << 13,
    PARAMETER_SIGNAL = 1 << 14,
    PARAMETER_GOAL = 1 << 15,
    PARAMETER_BATCH = 1 << 16,
    PARAMETER_STREAM = 1 << 17,
    PARAMETER_SINCE_EVENT = 1 << 18,
};

struct query {
    unsigned given; /* bits of enum parameter */
    int64_t wait;   /* microseconds; CLOCK_NEVER: as long as it takes */
    int64_t timeout;
    char service[SERVICE_NAME_MAX + 1];
    int64_t state; /* enum operation_state; -1: all */
    int64_t mode, signal, goal, stream;
    int64_t before, batch, limit, lines, since_event;
    struct revision since;
    bool follow, strict, leave, coalesce;
    char reason[REASON_MAX + 1];
};

void query_init(struct query *query);

/* Takes one parameter; value is NULL for a bare name. allowed are the bits that this request
 * knows. */
int query_set(struct query *query, unsigned allowed, const char *name, const char *value,
              struct error *err);
/* The same with %xx in both. */
int query_set_encoded(struct query *query, unsigned allowed, const char *name, const char *value,
                      struct error *err);
/* Whether only a text can be meant: in JSON a string. */
bool query_is_text(const char *name);

/* For who lists them: the parameter of bit 1 << index; NULL: there are no more. */
const char *query_parameter(size_t index, const char **ret_expected);
