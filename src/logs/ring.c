#include "ring.h"

#include <stdlib.h>
#include <string.h>

void ring_deinit(struct ring *ring)
{
    free(ring->data);
    *ring = (struct ring){0};
}

void ring_clear(struct ring *ring)
{
    ring_deinit(ring);
}

void ring_put(struct ring *ring, const char *data, size_t size)
{
    size_t at, first;

    if (!ring->data)
        ring->data = malloc(RING_SIZE);
    if (!ring->data)
        return;
    if (size > RING_SIZE) {
        ring->total += size - RING_SIZE;
        data += size - RING_SIZE;
        size = RING_SIZE;
    }
    at = ring->total % RING_SIZE;
    first = size < RING_SIZE - at ? size : RING_SIZE - at;
    memcpy(ring->data + at, data, first);
    memcpy(ring->data, data + first, size - first);
    ring->total += size;
}

size_t ring_last(const struct ring *ring, size_t size, char out[static RING_SIZE])
{
    size_t kept = ring->total < RING_SIZE ? (size_t)ring->total : RING_SIZE;
    size_t count = size < kept ? size : kept, at, first;

    if (count == 0)
        return 0;
    at = (ring->total - count) % RING_SIZE;
    first = count < RING_SIZE - at ? count : RING_SIZE - at;
    memcpy(out, ring->data + at, first);
    memcpy(out + first, ring->data, count - first);
    return count;
}
