#include "heap.h"

#include <stdlib.h>

void heap_deinit(struct heap *heap)
{
    free(heap->items);
    *heap = (struct heap){0};
}

struct deadline *heap_first(const struct heap *heap)
{
    return heap->count ? heap->items[1] : NULL;
}

static void put(struct heap *heap, size_t place, struct deadline *deadline)
{
    heap->items[place] = deadline;
    deadline->place = place;
}

static void rise(struct heap *heap, size_t place)
{
    struct deadline *deadline = heap->items[place];

    for (; place > 1 && heap->items[place / 2]->at_mono > deadline->at_mono; place /= 2)
        put(heap, place, heap->items[place / 2]);
    put(heap, place, deadline);
}

static void sink(struct heap *heap, size_t place)
{
    struct deadline *deadline = heap->items[place];

    for (size_t child = 2 * place; child <= heap->count; child = 2 * place) {
        if (child < heap->count && heap->items[child + 1]->at_mono < heap->items[child]->at_mono)
            child++;
        if (heap->items[child]->at_mono >= deadline->at_mono)
            break;
        put(heap, place, heap->items[child]);
        place = child;
    }
    put(heap, place, deadline);
}

/* A deadline that is lost would leave an operation that never ends; without memory for a few
 * pointers nothing can go on. */
static void grow(struct heap *heap)
{
    size_t capacity = heap->capacity ? 2 * heap->capacity : 64;
    struct deadline **grown = realloc(heap->items, capacity * sizeof(struct deadline *));

    if (!grown)
        abort();
    heap->items = grown;
    heap->capacity = capacity;
}

void heap_set(struct heap *heap, struct deadline *deadline, int64_t at_mono)
{
    deadline->at_mono = at_mono;
    if (!deadline->place) {
        if (heap->count + 1 >= heap->capacity)
            grow(heap);
        put(heap, ++heap->count, deadline);
    }
    rise(heap, deadline->place);
    sink(heap, deadline->place);
}

void heap_remove(struct heap *heap, struct deadline *deadline)
{
    size_t place = deadline->place;
    struct deadline *last;

    if (!place)
        return;
    last = heap->items[heap->count--];
    deadline->place = 0;
    if (last == deadline)
        return;
    put(heap, place, last);
    rise(heap, place);
    sink(heap, last->place);
}
