/* writer - group commit: who comes while nobody commits commits for all who have come.
 *
 * At any time one thread leads and it alone touches the store: nobody while nothing is queued, a
 * caller of writer_submit() for a few rounds, or the writer's own thread, which takes over when a
 * caller has done its share or when SQLite could not write. While writing fails the thread tries
 * again, first quickly, then calmly, until it succeeds: a failure that was told is also found to be
 * over when nobody asks.
 *
 * Threads: any may submit; one of its own. done() is called without any lock.
 * Ownership: a submitted group is the writer's; the store is borrowed. */
#pragma once

#include "base/error.h"
#include "base/list.h"
#include "base/lock.h"
#include "group.h"
#include "store.h"

#include <pthread.h>
#include <stdbool.h>

extern struct lock_class writer_lock_class;

enum leader { LEADER_NONE, LEADER_CALLER, LEADER_THREAD };

struct writer {
    struct store *store; /* the leader's */
    pthread_t thread;
    struct lock lock;
    struct cond wake; /* the thread's */
    struct list queue GUARDED_BY(writer_lock_class);
    enum leader leader GUARDED_BY(writer_lock_class);
    bool closing GUARDED_BY(writer_lock_class);
    int64_t wakes_at GUARDED_BY(writer_lock_class); /* when the thread does; 0: it is not waiting */

    int failure GUARDED_BY(writer_lock_class); /* -errno of the last transaction; 0: it succeeded */
    bool failure_told GUARDED_BY(writer_lock_class);
    char failure_text[256] GUARDED_BY(writer_lock_class);
    int tries GUARDED_BY(writer_lock_class);
    int64_t next_try GUARDED_BY(writer_lock_class);
};

int writer_start(struct writer *writer, struct store *store, struct error *err);
/* Nothing may be submitted any more. Writes what is queued in a bounded number of tries, withdraws
 * what is left with -ECANCELED. */
void writer_stop(struct writer *writer);

void writer_submit(struct writer *writer, struct group *group);
bool writer_writable(struct writer *writer, char text[static 256]);
