#include "kept.h"

#include "fuzz.h"

#include <stdlib.h>

#define KEPT_MOST 64

static void *kept[KEPT_MOST];
static size_t kept_count;

static void *keep(void *memory)
{
    CHECK(memory && kept_count < KEPT_MOST, "no memory");
    return kept[kept_count++] = memory;
}

void *kept_malloc(size_t size)
{
    return keep(malloc(size));
}

void *kept_calloc(size_t count, size_t size)
{
    return keep(calloc(count, size));
}

void kept_free(void)
{
    while (kept_count > 0)
        free(kept[--kept_count]);
}
