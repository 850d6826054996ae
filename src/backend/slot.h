/* slot - the place of one record in the instance file: two copies, of which the newer valid one
 * counts. A write goes to the other, so that a death in the middle of it leaves this one.
 * Threads: none, the file's lock guards it. Ownership: it lies in the mapped file. */
#pragma once

#include "instances.h"

#define COPY_SIZE 256

struct copy {
    uint64_t checksum; /* of all that follows */
    uint64_t sequence;
    uint64_t open;
    struct instance_data data;
};

struct slot {
    union {
        struct copy copy;
        char size[COPY_SIZE];
    } copies[2];
};

/* NULL: no copy is valid. */
const struct copy *slot_current(const struct slot *slot);
void slot_write(struct slot *slot, const struct instance_data *data, bool open);
