/* error - what went wrong, said where it happened and enriched on the way up.
 * Threads: a struct error belongs to its caller. Ownership: no heap, nothing to free. */
#pragma once

#include <stddef.h>

struct error {
    int code; /* negative errno, 0: no error */
    char text[768];
};

/* Sets the text, in which %m speaks of -code, and returns code. A NULL err is fine. */
int error_set(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<context>: " before the text that is there; returns the code that is there. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
