/* lines - bytes cut up into lines, as the record of an operation shows them.
 * Threads: none, a plain value. Ownership: whoever made it clears the list. */
#pragma once

#include "model/service_spec.h"

#include <stdbool.h>
#include <stddef.h>

#define LINE_LIMIT 1000

struct lines {
    struct string_list list;
    char line[LINE_LIMIT + 1];
    size_t len;
    bool begun; /* a line has begun, its end was not seen */
};

/* A line's bytes above LINE_LIMIT are left out; a NUL becomes '?'. */
void lines_add(struct lines *l, const char *data, size_t size);
void lines_end(struct lines *l); /* the last line will get no end */
void lines_keep_last(struct lines *l, size_t count);
