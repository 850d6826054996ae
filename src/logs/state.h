/* state - what the parts of the logs share.
 * Threads: what is GUARDED_BY belongs to whoever holds the lock, a leaf; what is marked "thread" to
 * the logs' thread; everything else is set before others can see it and does not change.
 * Ownership: struct logs owns its logs, tails and waiters. */
#pragma once

#include "base/list.h"
#include "base/lock.h"
#include "fifo.h"
#include "files.h"
#include "logs/logs.h"

extern struct lock_class logs_lock_class;

struct logs {
    char *runtime_dir;
    int dir_fd; /* log_dir */
    int epoll_fd, wake_fd;
    pthread_t thread;
    struct peek peek;   /* thread */
    struct list paused; /* thread: logs that can't be written, the first to be tried again first */

    struct lock lock;
    struct cond moved;                            /* a log has finished a move */
    struct log **all GUARDED_BY(logs_lock_class); /* by name */
    size_t count GUARDED_BY(logs_lock_class);
    struct list tails GUARDED_BY(logs_lock_class);
    struct list waiters GUARDED_BY(logs_lock_class);   /* all of them, waiter.any */
    struct list strangers GUARDED_BY(logs_lock_class); /* of services that are not open */
    int64_t nearest GUARDED_BY(logs_lock_class);       /* when the next waiter's time has come */
    bool stopping GUARDED_BY(logs_lock_class);
};

struct log {
    struct logs *logs;
    char name[SERVICE_NAME_MAX + 1];
    char *fifo_path;
    int fifo_fd;
    struct log_files files;

    int file_fd;           /* thread */
    bool copies;           /* thread: its file system can't splice */
    int64_t rotate_after;  /* thread: a rotation has failed, not before this time again */
    struct list in_paused; /* thread */
    int64_t retry_at;      /* thread */

    int64_t max_size GUARDED_BY(logs_lock_class);
    int64_t max_files GUARDED_BY(logs_lock_class);
    int64_t captured GUARDED_BY(logs_lock_class); /* bytes, since it was opened */
    struct log_trouble trouble GUARDED_BY(logs_lock_class);
    struct list waiters GUARDED_BY(logs_lock_class); /* waiter.same */
    /* A position is exact only between two moves from the FIFO to the file. Who comes during one
     * is given the place that the thread finds when it is done. */
    bool moving GUARDED_BY(logs_lock_class);
    uint64_t moves GUARDED_BY(logs_lock_class);
    int position_waits GUARDED_BY(logs_lock_class);
    int64_t position GUARDED_BY(logs_lock_class);
};

void logs_lock(struct logs *logs) ACQUIRE(logs_lock_class);
void logs_unlock(struct logs *logs) RELEASE(logs_lock_class);
void logs_wake(struct logs *logs); /* the thread looks at its lists again */

/* NULL: not open. */
struct log *logs_find(struct logs *logs, const char *name) REQUIRES(logs_lock_class);
/* For walking over all without holding the lock: the one at index, or NULL. */
struct log *logs_at(struct logs *logs, size_t index) EXCLUDES(logs_lock_class);

void log_free(struct log *log); /* NULL is fine */
