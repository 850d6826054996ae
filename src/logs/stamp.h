/* stamp - the time put before each line.
 * Threads: any. Ownership: none. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define STAMP_SIZE  28 /* "2026-11-20T18:44:12.518204Z " */
#define STAMPED_MAX (256 * 1024)

/* The time that it is now. */
void stamp_now(char stamp[static STAMP_SIZE + 1]);

/* Copies lines to out, each with stamp before it, as far as there is room; at_start: data begins a
 * line. Returns the bytes that were written. */
size_t stamp_lines(const char *data, size_t size, bool at_start, const char *stamp, char *out,
                   size_t room);

/* How far out, of which size bytes are kept, stands for whole bytes of the source: how many that
 * are; *ret_clean is size, or less when it ends in a stamp that nothing follows. */
size_t stamp_source(const char *out, size_t size, bool at_start, size_t *ret_clean);
