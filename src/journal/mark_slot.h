/* mark_slot - the place of one mark in the file: two copies, of which the newer valid one counts. A
 * write goes to the other, so that a death in the middle of it leaves this one.
 *
 * What most services never have, the ends of people's operations, lies apart, so that its pages are
 * not touched; a copy says how many of them it has, and its checksum goes on over them.
 *
 * Threads: none, its writer is alone with it. Ownership: it lies in the mapped file. */
#pragma once

#include "journal/marks.h"

#include <stdbool.h>
#include <stdint.h>

#define MARK_COPY_SIZE 192

struct mark_copy {
    uint64_t checksum; /* of all that follows, and of the ends */
    uint64_t sequence; /* from 1 */
    int64_t generation, restarts;
    uint64_t spec, invocation;
    struct mark_begin begun;
    uint8_t state, goal;
    uint8_t ended; /* so many ends there are */
    char service[SERVICE_NAME_MAX + 1];
};

struct mark_slot {
    union {
        struct mark_copy copy;
        char size[MARK_COPY_SIZE];
    } copies[2];
};

struct mark_copy_end {
    int64_t first, last, began, at;
    uint32_t state, changed;
};

/* The ends of a slot's copies. */
struct mark_slot_ends {
    struct mark_copy_end of[2][MARK_ENDS];
};

/* The file: a header, and blocks that it grows by. */
#define MARK_HEADER_SIZE 4096
#define MARK_BLOCK_SLOTS 64
struct mark_block {
    struct mark_slot slots[MARK_BLOCK_SLOTS];
    struct mark_slot_ends ends[MARK_BLOCK_SLOTS];
};

/* The copy that counts, which is 0 or 1; -1: none does. */
int mark_slot_current(const struct mark_slot *slot, const struct mark_slot_ends *ends);
/* What a copy that counts says; false: it holds a word that this program does not know. */
bool mark_slot_read(const struct mark_slot *slot, const struct mark_slot_ends *ends, int copy,
                    struct mark_left *ret_left);
void mark_slot_write(struct mark_slot *slot, struct mark_slot_ends *ends, int copy,
                     const char *service, const struct mark *mark, uint64_t sequence);
/* Of a copy and its ends. */
uint64_t mark_checksum(const struct mark_copy *copy, const struct mark_copy_end *ends);
