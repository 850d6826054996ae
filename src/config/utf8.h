/* utf8 - whether bytes are text.
 * Threads: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The length of the character at s, of which n bytes are there; 0: there is none. */
size_t utf8_length(const char *s, size_t n);
/* Whether the character at s is a control character, but for the tab. */
bool utf8_control(const char *s);
