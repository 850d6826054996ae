/* writer_private - what the callers that lead and the thread have in common.
 * Threads: as writer.h says; what needs no lock is the leader's. */
#pragma once

#include "writer.h"

/* While the lock is held that is about three seconds. */
#define WRITER_QUICK_TRIES 100
/* Groups that may come later; with so many there is company enough. */
#define WRITER_LATERS_MOST 1024

void writer_lock(struct writer *w) ACQUIRE(writer_lock_class);
void writer_unlock(struct writer *w) RELEASE(writer_lock_class);

/* Whether what can be seen from outside is another than was told last; counts as told. */
bool writer_state_differs(struct writer *w) REQUIRES(writer_lock_class);
void writer_tell(struct writer *w, bool differs) EXCLUDES(writer_lock_class);
/* What the store says of itself; the leader's. */
void writer_note_store(struct writer *w) REQUIRES(writer_lock_class);
void writer_note_failure(struct writer *w, const struct error *err) REQUIRES(writer_lock_class);
/* Why those that are late were not written. */
int writer_lateness(struct writer *w, const struct list *late) REQUIRES(writer_lock_class);

/* All that is queued. */
void writer_take(struct writer *w, struct list *batch) REQUIRES(writer_lock_class);
/* Whether what is queued is to be written now. */
bool writer_is_due(const struct writer *w) REQUIRES(writer_lock_class);
/* To the head of the queue. */
void writer_put_back(struct writer *w, struct list *batch) REQUIRES(writer_lock_class);
/* Writes a batch and notes how it went: false puts it back. */
bool writer_write(struct writer *w, struct list *batch) EXCLUDES(writer_lock_class);
/* Another connection, which only the thread takes the time for; false: it is not to be had, and the
 * batch is put back. */
bool writer_restore(struct writer *w, struct list *batch) EXCLUDES(writer_lock_class);

void *writer_run(void *writer);
