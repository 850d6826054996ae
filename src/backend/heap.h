/* heap - deadlines in order, the nearest first: a binary heap whose members know their place.
 * Threads: none, its owner guards it. Ownership: the deadlines are others'. */
#pragma once

#include "backend/watcher.h"

struct heap {
    struct deadline **items; /* from 1 */
    size_t count, capacity;
};

void heap_deinit(struct heap *heap);
/* NULL: empty. */
struct deadline *heap_first(const struct heap *heap);
/* Puts it in, or moves it, to at_mono. */
void heap_set(struct heap *heap, struct deadline *deadline, int64_t at_mono);
/* One that is not in is left alone. */
void heap_remove(struct heap *heap, struct deadline *deadline);
