/* writer - group commit: who comes while nobody commits commits for all who have come.
 *
 * At any time one thread leads and it alone touches the store: nobody while nothing pressing is
 * queued, a caller of writer_submit() for a few rounds, or the writer's own thread, which takes
 * over when a caller has done its share, when SQLite could not write, when another connection is
 * needed, when what may come later has waited for company long enough, or when the log is to be
 * written back. While writing fails the
 * thread tries again, first quickly, then calmly, until it succeeds: a failure that was told is
 * also found to be over when nobody asks. On a full disk it goes on writing into the room of the
 * reserve, at once, until the reserve could be made again.
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
    void (*state_changed)(void *context);
    void *context;
    pthread_t thread;
    struct lock lock;
    struct cond wake; /* the thread's */
    struct list queue GUARDED_BY(writer_lock_class);
    enum leader leader GUARDED_BY(writer_lock_class);
    size_t laters GUARDED_BY(writer_lock_class);    /* how many came since the queue was taken */
    int64_t later_at GUARDED_BY(writer_lock_class); /* when the thread takes them; 0: none came */
    bool closing GUARDED_BY(writer_lock_class);
    int64_t wakes_at GUARDED_BY(writer_lock_class); /* when the thread does; 0: it is not waiting */
    int64_t dozes_until GUARDED_BY(writer_lock_class); /* the same while it does not lead */
    int64_t check_at GUARDED_BY(writer_lock_class);    /* when the log is to be looked at */

    int failure GUARDED_BY(writer_lock_class); /* -errno of the last transaction; 0: it succeeded */
    bool failure_told GUARDED_BY(writer_lock_class);
    char failure_text[256] GUARDED_BY(writer_lock_class);
    bool full GUARDED_BY(writer_lock_class); /* the disk: what may not have the reserve goes back */
    char warning[256] GUARDED_BY(writer_lock_class);
    int tries GUARDED_BY(writer_lock_class);
    int64_t next_try GUARDED_BY(writer_lock_class);   /* of what is queued */
    int64_t next_probe GUARDED_BY(writer_lock_class); /* when nothing is */
    /* As state_changed() was called last: "" is well. */
    char known_failure[256] GUARDED_BY(writer_lock_class);
    bool known_warning GUARDED_BY(writer_lock_class);
};

int writer_start(struct writer *writer, struct store *store, const struct journal_config *config,
                 struct error *err);
/* What the store could not do before it was the writer's: told, and tried again by the thread. */
void writer_trouble(struct writer *writer, const struct error *why);
/* Nothing may be submitted any more. Writes what is queued in a bounded number of tries, withdraws
 * what is left with -ECANCELED. */
void writer_stop(struct writer *writer);
/* Pages that the connection keeps in memory, unless somebody writes. */
void writer_give_back(struct writer *writer);

void writer_submit(struct writer *writer, struct group *group);
bool writer_writable(struct writer *writer, char text[static 256]);
/* Whether it is writable for what may have the reserve. */
bool writer_takes_essential(struct writer *writer);
bool writer_warning(struct writer *writer, char text[static 256]);
