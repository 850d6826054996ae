/* run_queue - the services that have mail, in the order in which they got it, and the workers that
 * give each its turn. Those with something that people have asked for go before the rest, but never
 * all the time: so a restart does not stand in line behind many services that crash again and
 * again.
 *
 * A service stands here at most once (its own `scheduled` flag says so) and leaves for its turn: so
 * no two workers ever have the same one.
 * Threads: any may add; the workers are its own. Ownership: it owns nothing but the threads. */
#pragma once

#include "base/error.h"
#include "base/list.h"
#include "base/lock.h"

#include <stdbool.h>
#include <stdint.h>

extern struct lock_class run_queue_lock_class;

/* What stands on the queue: run() is called by a worker, once for each time it was added. */
struct run_item {
    struct list link;
    void (*run)(struct run_item *item);
    bool asked_for; /* by people; set by who adds it */
};

struct run_queue {
    struct lock lock;
    struct cond filled;
    struct list asked_for GUARDED_BY(run_queue_lock_class);
    struct list waiting GUARDED_BY(run_queue_lock_class); /* the rest */
    unsigned passed GUARDED_BY(run_queue_lock_class);     /* how often the rest was passed over */
    bool closed GUARDED_BY(run_queue_lock_class);
    pthread_t *workers;
    unsigned worker_count;
};

void run_queue_init(struct run_queue *queue);
/* Starts the workers; 0 or -errno, then none runs. */
int run_queue_start(struct run_queue *queue, unsigned workers, struct error *err);
/* The item must not stand on it already. */
void run_queue_add(struct run_queue *queue, struct run_item *item) EXCLUDES(run_queue_lock_class);
/* Ends the workers when their turns are over; what waits stays. */
void run_queue_stop(struct run_queue *queue) EXCLUDES(run_queue_lock_class);
void run_queue_deinit(struct run_queue *queue);
