/* op - a live operation: its record while it waits, runs, and until its end is in the journal.
 *
 * An op may join another of its service that does the same and still waits: it then stands in the
 * other's `joined` instead of in the queue, runs when that one runs and ends as that one ends. When
 * the other is cancelled before it began, the first that joined takes its place.
 *
 * Threads: the record is guarded by its service's lock from the reservation on; the references are
 * atomic; waiters are guarded by the wait set. Whoever takes an op out of its service's queue (or
 * is the turn in which it is active) under that lock, and nobody else, ends it.
 * Ownership: reference-counted; the index holds one until the end is settled: from then on the
 * journal's row is what is shown. */
#pragma once

#include "base/list.h"
#include "base/lock.h"
#include "model/operation.h"

#include <stdatomic.h>
#include <stdbool.h>

struct service;

extern struct lock_class op_index_lock_class;

struct op {
    struct operation record;
    struct service *service;
    atomic_int references;
    struct list link;            /* in the service's queue, or in another's joined */
    struct list joined;          /* those that it does along, a reference each */
    struct op *joined_to;        /* whose joined it stands in; NULL: none */
    bool joining_closed;         /* it is about to begin */
    int64_t stands_for;          /* of the last daemon: what it had joined has gone; 0: nothing */
    struct list announce_link;   /* of the ended ones of this turn */
    bool committed;              /* may begin: its acceptance is in the journal, or need not be */
    bool resumed;                /* had begun under an earlier daemon */
    struct list waiters;         /* of its end */
    bool announced;              /* they have been told */
    bool written;                /* its end is in the journal */
    bool settled;                /* both */
    bool in_mark;                /* its end stands in the service's mark as well */
    struct list settled_waiters; /* of that */
    struct op *next;             /* in the index */
};

/* One reference, the caller's. NULL without memory. */
struct op *op_new(struct service *service, const char *service_name, enum action action,
                  enum origin origin, const char *requested_by, int64_t timeout_us);
struct op *op_ref(struct op *op);
void op_unref(struct op *op); /* NULL is fine */

static inline bool op_automatic(const struct op *op)
{
    return op->record.origin != ORIGIN_API;
}

/* Whether it is a start that the supervisor wants by itself: a stop that is accepted removes it. */
static inline bool op_automatic_start(const struct op *op)
{
    return op_automatic(op) && op->record.action == ACTION_START;
}

/* Every operation whose end is not yet in the journal, by id. */
#define OP_INDEX_BUCKETS 1024
struct op_index {
    struct lock lock;
    struct op *buckets[OP_INDEX_BUCKETS] GUARDED_BY(op_index_lock_class);
};

void op_index_init(struct op_index *index);
void op_index_deinit(struct op_index *index); /* drops its references */
void op_index_add(struct op_index *index, struct op *op) EXCLUDES(op_index_lock_class);
void op_index_remove(struct op_index *index, struct op *op) EXCLUDES(op_index_lock_class);
struct op *op_index_find(struct op_index *index, int64_t id) EXCLUDES(op_index_lock_class);
/* All of them, a reference each; the caller unrefs and frees. 0 or -ENOMEM. */
int op_index_all(struct op_index *index, struct op ***ret_ops, size_t *ret_count)
    EXCLUDES(op_index_lock_class);
