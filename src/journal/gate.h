/* gate - keeps readers and the opening of the writer's connection apart while there has been none:
 * SQLite shares one index of the log among all connections of a process, and one that was opened on
 * a read-only disk stays read-only as long as anybody has it.
 * Threads: any. Ownership: it lies in the store. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

struct gate {
    atomic_uint epoch; /* grows with each connection of the writer's; 0: there has been none */
    atomic_int users;  /* readers while it is 0; -1: the writer is about to open */
};

/* A reader comes; false: not now. With *ret_epoch 0 it must leave before long. */
static inline bool gate_enter(struct gate *gate, unsigned *ret_epoch)
{
    int users = atomic_load(&gate->users);

    *ret_epoch = atomic_load(&gate->epoch);
    if (*ret_epoch > 0)
        return true;
    while (users >= 0)
        if (atomic_compare_exchange_weak(&gate->users, &users, users + 1))
            return true;
    return false;
}

static inline void gate_leave(struct gate *gate)
{
    atomic_fetch_sub(&gate->users, 1);
}

/* The writer is about to open; false: somebody reads. */
static inline bool gate_close(struct gate *gate)
{
    int nobody = 0;

    return atomic_load(&gate->epoch) > 0 ||
           atomic_compare_exchange_strong(&gate->users, &nobody, -1);
}

static inline void gate_open(struct gate *gate, bool opened)
{
    if (atomic_load(&gate->epoch) == 0)
        atomic_store(&gate->users, 0);
    if (opened)
        atomic_fetch_add(&gate->epoch, 1);
}
