/* events - facts as they happen: operations, states, exits, the configuration, the daemon. The
 * newest stand in memory, for those who follow; all go to the journal, so that who was away can
 * read what was missed.
 *
 * Numbers only grow, over daemons too; a new daemon leaves a gap, because the last moments of one
 * that was killed may have been seen and not been written.
 *
 * Rows may be committed in another order than they were taken in: who reads so late that memory no
 * longer holds what comes next is given the journal's up to the first row that is still on its way,
 * and waits for that one. What the journal has dropped is passed over.
 *
 * Threads: any. One lock (a leaf, above the wait set's). Ownership: texts are copied, or taken. */
#pragma once

#include "base/lock.h"
#include "base/text.h"
#include "core/supervisor.h"
#include "wait.h"

struct journal;

extern struct lock_class events_lock_class;

#define EVENTS_KEPT 1024 /* in memory */

struct event {
    char *buffer;
    uint32_t length; /* of the object, */
    uint8_t begin;   /* which begins here in the buffer */
    uint8_t kind;    /* enum event_kind */
};

struct events {
    struct lock lock;
    struct wait_set *waits;
    struct journal *journal;
    struct event ring[EVENTS_KEPT] GUARDED_BY(events_lock_class);
    int64_t next GUARDED_BY(events_lock_class);        /* the id of the next one */
    int64_t first GUARDED_BY(events_lock_class);       /* of this daemon */
    int64_t flushed GUARDED_BY(events_lock_class);     /* the last one that is told */
    int64_t given GUARDED_BY(events_lock_class);       /* the last one given to the journal */
    struct list flights GUARDED_BY(events_lock_class); /* rows on their way to the journal */
    bool awaited GUARDED_BY(events_lock_class);        /* one of them, by a reader */
    struct list waiters;                               /* the wait set's lock */
};

/* next: the number to begin with. */
void events_init(struct events *events, struct wait_set *waits);
void events_begin(struct events *events, struct journal *journal, int64_t next);
void events_deinit(struct events *events);

/* An event's text up to its own members, `,"key":value` each, which are to be appended. */
void event_begin(struct text *t, enum event_kind kind, const char *service);
/* Takes the text. Not told before the flush. */
void events_take(struct events *events, enum event_kind kind, struct text *t)
    EXCLUDES(events_lock_class);
/* Both; members may be "". */
void events_add(struct events *events, enum event_kind kind, const char *service,
                const char *members) EXCLUDES(events_lock_class);
/* Tells those who wait what is new, and gives it to the journal: at once, or, while that has not
 * done with what it was given before, together with what comes until then. */
void events_flush(struct events *events) EXCLUDES(events_lock_class);

int events_read(struct events *events, int64_t after, size_t most,
                const struct event_visitor *visitor, struct error *err) EXCLUDES(events_lock_class);
int64_t events_last(struct events *events) EXCLUDES(events_lock_class);
void events_wait(struct events *events, int64_t after, int64_t until_mono, wait_done *done,
                 void *context) EXCLUDES(events_lock_class);

/* ---- what is told of services ---- */

struct op;
struct service;
void event_operation(struct op *op); /* as its record is now */
void event_state(struct service *service, enum service_state before);
void event_exit(struct service *service, pid_t pid, struct exit_cause cause);
