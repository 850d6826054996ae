/* opening - keeps readers and the opening of the writer's connection apart until there has been
 * one: SQLite shares one index of the log among all connections of a process, and one that was
 * opened on a read-only disk stays read-only as long as anybody has it. Threads: any. Ownership: it
 * lies in the store. */
#pragma once

#include "base/lock.h"

#include <stdatomic.h>
#include <stdbool.h>

extern struct lock_class opening_lock_class;

struct opening {
    atomic_uint epoch; /* grows with each connection of the writer's; 0: there has been none */
    struct lock lock;
    struct cond done;
    int users GUARDED_BY(opening_lock_class);   /* readers that came while the epoch was 0 */
    bool closed GUARDED_BY(opening_lock_class); /* the writer is about to open */
};

void opening_init(struct opening *opening);
void opening_deinit(struct opening *opening);
/* A reader comes, waiting for a writer that is about to open; false: that takes too long. With
 * *ret_epoch 0 the reader must leave before long. */
bool opening_enter(struct opening *opening, unsigned *ret_epoch);
void opening_leave(struct opening *opening);
/* The writer is about to open; false: somebody reads. */
bool opening_begin(struct opening *opening);
/* It has tried to. */
void opening_done(struct opening *opening, bool opened);
