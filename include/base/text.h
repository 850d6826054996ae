/* text - a growing string, and JSON appended to it by hand (11 times faster than a tree of nodes).
 * Threads: none, a text has one owner. Ownership: text_deinit() frees, text_take() gives away.
 * Running out of memory is remembered: every later append does nothing and text_take() gives NULL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *data; /* NUL-terminated once anything was appended */
    size_t len, capacity;
    bool failed;
};

void text_deinit(struct text *t);
void text_clear(struct text *t); /* empty again, memory kept */
void text_append(struct text *t, const char *s);
void text_append_n(struct text *t, const char *s, size_t n);
void text_appendf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_fit(struct text *t);   /* no more memory than it needs: it is to stay */
char *text_take(struct text *t); /* the caller's, to free(); NULL without memory */

void text_json_string(struct text *t, const char *s); /* quoted and escaped; NULL gives null */
void text_json_bool(struct text *t, bool value);
void text_json_int(struct text *t, int64_t value);
void text_json_utc(struct text *t, int64_t utc_us); /* a quoted time; 0 gives null */
/* Bytes that are not UTF-8 become U+FFFD, so that what a service wrote can always be shown. */
void text_json_bytes(struct text *t, const char *s, size_t n);
