/* wait - who waits for more of a log.
 * Threads: any, as each says. Ownership: a waiter belongs to its list until wait_end() frees it. */
#pragma once

#include "state.h"

/* Where a stream's files are: changes with everything that is put into them. */
int64_t wait_mark(struct logs *logs, const char *service, enum stream stream)
    EXCLUDES(logs_lock_class);
/* false: the log has gone on since mark, or nothing is waited for any more, or no memory: done will
 * not be called. service must live as long as the wait. */
bool wait_add(struct logs *logs, const char *service, enum stream stream, int64_t mark,
              int64_t until_mono, log_wait_done *done, void *context) EXCLUDES(logs_lock_class);

/* Until the descriptor is readable, which stays the caller's: one wait at a time. It is not closed
 * before done was called. false: as wait_add(), or it can't be watched. */
bool wait_watch(struct logs *logs, int fd, int64_t until_mono, log_wait_done *done, void *context)
    EXCLUDES(logs_lock_class);

/* These move waiters to ready, for wait_end(): those of a stream, those whose descriptor is
 * readable, all whose time has come, all. */
void wait_take_channel(struct channel *ch, struct list *ready) REQUIRES(logs_lock_class);
void wait_take_watched(struct logs *logs, struct list *ready) REQUIRES(logs_lock_class);
void wait_take_due(struct logs *logs, int64_t now, struct list *ready) REQUIRES(logs_lock_class);
void wait_take_all(struct logs *logs, struct list *ready) REQUIRES(logs_lock_class);
/* Calls them. */
void wait_end(struct list *ready) EXCLUDES(logs_lock_class);

/* It has been opened: strangers that have waited for it by name are its own now. */
void wait_adopt(struct channel *ch) REQUIRES(logs_lock_class);
