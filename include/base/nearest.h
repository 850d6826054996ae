/* nearest - "did you mean": the known word that a mistyped one is closest to.
 * Threads: any. */
#pragma once

#include <stddef.h>

/* The nearest of count words, or NULL when none is near enough to be meant. */
const char *nearest_word(const char *typed, const char *const words[], size_t count);

/* The same, word by word: a candidate that is nearer than *best replaces it.
 * Start with { .typed = word }. */
struct nearest {
    const char *typed, *word;
    size_t distance;
};
void nearest_offer(struct nearest *best, const char *candidate);
