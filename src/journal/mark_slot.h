/* mark_slot - the place of one mark in the file: two copies, of which the newer valid one counts. A
 * write goes to the other, so that a death in the middle of it leaves this one.
 * Threads: none, its writer is alone with it. Ownership: it lies in the mapped file. */
#pragma once

#include "journal/marks.h"

#include <stdbool.h>
#include <stdint.h>

#define MARK_COPY_SIZE 512

struct mark_copy {
    uint64_t checksum; /* of all that follows */
    uint64_t sequence; /* from 1 */
    int64_t generation, restarts;
    uint64_t spec, invocation;
    struct mark_begin begun;
    int64_t first[MARK_ENDS], last[MARK_ENDS], began[MARK_ENDS], at[MARK_ENDS];
    uint8_t end[MARK_ENDS], changed[MARK_ENDS];
    uint8_t state, goal;
    char service[SERVICE_NAME_MAX + 1];
};

struct mark_slot {
    union {
        struct mark_copy copy;
        char size[MARK_COPY_SIZE];
    } copies[2];
};

/* The copy that counts, which is 0 or 1; -1: none does. */
int mark_slot_current(const struct mark_slot *slot);
/* What a copy that counts says; false: it holds a word that this program does not know. */
bool mark_copy_read(const struct mark_copy *copy, struct mark *ret_mark);
void mark_copy_write(struct mark_copy *to, const char *service, const struct mark *mark,
                     uint64_t sequence);
