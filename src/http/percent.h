/* percent - %xx in paths and queries, read strictly.
 * Threads: any. */
#pragma once

#include <stdbool.h>

/* Decodes in into out, which must hold strlen(in) + 1. False: `%` without two hex digits, or a
 * NUL, which no name can hold. */
bool percent_decode(const char *in, char *out);
