/* units - durations, sizes and whole numbers as people write them.
 * Threads: any. Nothing is allocated. Each returns 0, or -EINVAL (not such a thing at all) or
 * -ERANGE (one, but too large), and leaves the result alone then. */
#pragma once

#include <stdint.h>

/* "500ms" "30s" "5m" "2h" "7d" "1.5s"; a bare number is seconds. */
int units_parse_duration(const char *s, int64_t *ret_us);
/* "4096" "64K" "10M" "2G", powers of 1024. */
int units_parse_size(const char *s, int64_t *ret_bytes);
int units_parse_int(const char *s, int64_t *ret_value);

#define UNITS_TEXT_SIZE 32
/* The shortest exact form: "1.5s", "500ms", "30s". */
void units_format_duration(int64_t us, char text[static UNITS_TEXT_SIZE]);
void units_format_size(int64_t bytes, char text[static UNITS_TEXT_SIZE]);
