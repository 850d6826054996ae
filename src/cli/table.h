/* table - rows printed in columns as wide as they need; a column without a word in it is left out.
 * Threads: one. Ownership: cells are copied; table_deinit(). */
#pragma once

#include "screen.h"

#include <stddef.h>

struct cell {
    char *text;
    enum colour colour;
};

struct table {
    const char *const *headers;
    size_t columns;
    struct cell *cells; /* row after row */
    size_t count;
    bool failed; /* without memory */
};

/* The next cell, from left to right; what is unfit to be seen is made harmless. */
void table_add(struct table *table, enum colour colour, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void table_print(const struct table *table, const struct screen *screen);
void table_deinit(struct table *table);
