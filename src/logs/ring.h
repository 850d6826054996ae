/* ring - the last bytes of a stream, where no file holds them as they were written.
 * Threads: the logs' thread only. Ownership: ring_deinit() frees. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RING_SIZE 16384

struct ring {
    char *data; /* RING_SIZE bytes; NULL: nothing was put yet */
    uint64_t total;
};

void ring_deinit(struct ring *ring);
void ring_put(struct ring *ring, const char *data, size_t size); /* without memory: forgotten */
void ring_clear(struct ring *ring);
/* Copies the last size bytes, or as many as are kept; how many that are. */
size_t ring_last(const struct ring *ring, size_t size, char out[static RING_SIZE]);
