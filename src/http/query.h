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
};

struct query {
    unsigned given; /* bits of enum parameter */
    int64_t wait;   /* microseconds; CLOCK_NEVER: as long as it takes */
    int64_t timeout;
    char service[SERVICE_NAME_MAX + 1];
    int64_t state; /* enum operation_state; -1: all */
    int64_t before, limit, lines;
    struct revision since;
    bool follow, strict, leave;
};

void query_init(struct query *query);

/* Takes one parameter; value is NULL for a bare name. allowed are the bits that this request
 * knows. */
int query_set(struct query *query, unsigned allowed, const char *name, const char *value,
              struct error *err);
/* The same with %xx in both. */
int query_set_encoded(struct query *query, unsigned allowed, const char *name, const char *value,
                      struct error *err);
