/* kept - memory for a program that frees none: orderly-exec lives for a moment, a fuzzer does not.
 * Its sources are compiled with malloc and calloc called kept_malloc and kept_calloc.
 * Threads: one. Ownership: kept_free() takes back everything. */
#pragma once

#include <stddef.h>

void *kept_malloc(size_t size);
void *kept_calloc(size_t count, size_t size);
void kept_free(void);
