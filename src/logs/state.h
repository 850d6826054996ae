/* state - what the parts of the logs share: logs, of services, each with a channel for stdout and
 * perhaps one for stderr; a channel is a FIFO and what becomes of its bytes.
 * Threads: what is GUARDED_BY belongs to whoever holds the lock, a leaf; what is marked "thread" to
 * the logs' thread; everything else is set before others can see it and does not change.
 * Ownership: struct logs owns its logs, these their channels, tails and waiters. */
#pragma once

#include "base/list.h"
#include "base/lock.h"
#include "console.h"
#include "fifo.h"
#include "files.h"
#include "logs/logs.h"
#include "outbox.h"
#include "ring.h"

extern struct lock_class logs_lock_class, fd_store_lock_class;

/* The part of a spec that is about logs; taken over at any time. */
struct settings {
    enum output_target target;
    bool timestamps, compress;
    enum when_full when_full;
    int64_t max_size, max_files, max_age_us;
};

static inline bool to_file(const struct settings *s)
{
    return s->target == OUTPUT_FILE || s->target == OUTPUT_BOTH;
}

static inline bool to_console(const struct settings *s)
{
    return s->target == OUTPUT_CONSOLE || s->target == OUTPUT_BOTH;
}

/* Whether the last lines are kept in memory, because no file holds them as they were written. */
static inline bool to_ring(const struct settings *s)
{
    return s->target == OUTPUT_CONSOLE || (s->timestamps && s->target != OUTPUT_NONE);
}

/* The thread that compresses; see compress.h. */
struct compressor {
    pthread_t thread; /* thread */
    bool started;     /* thread */
    struct cond cond;
    struct list wanted GUARDED_BY(logs_lock_class);   /* channel.in_wanted */
    struct channel *busy GUARDED_BY(logs_lock_class); /* whose file has been compressed */
    struct stat source GUARDED_BY(logs_lock_class);   /* the file, as it was */
    int result GUARDED_BY(logs_lock_class);
};

struct logs {
    char *runtime_dir;
    int dir_fd; /* log_dir */
    int epoll_fd, wake_fd;
    int watch_fd; /* an epoll too: of waiters for descriptors */
    int null_fd;
    void (*trouble)(void *context, const char *service);
    void *context;
    pthread_t thread;
    struct peek peek;       /* thread */
    char *stamped;          /* thread: STAMPED_MAX bytes; NULL: not needed yet */
    struct list paused;     /* thread: channels in trouble, the first to be tried again first */
    int64_t age_next;       /* thread: the nearest of all age_at */
    struct console console; /* thread */
    bool finishing;         /* thread */
    struct compressor compressor;
    struct fd_store *fd_store; /* NULL: nobody keeps FIFOs for us */

    struct lock lock;
    struct cond moved;                            /* a log has finished a move */
    struct log **all GUARDED_BY(logs_lock_class); /* by name */
    size_t count GUARDED_BY(logs_lock_class);
    struct list changed GUARDED_BY(logs_lock_class); /* log.in_changed: has new settings */
    struct list tails GUARDED_BY(logs_lock_class);
    struct list rotations GUARDED_BY(logs_lock_class);
    struct list waiters GUARDED_BY(logs_lock_class);   /* all of them, waiter.any */
    struct list strangers GUARDED_BY(logs_lock_class); /* of channels that are not open */
    int64_t nearest GUARDED_BY(logs_lock_class);       /* when the next waiter's time has come */
    bool stopping GUARDED_BY(logs_lock_class);
};

#define NEVER_PLAIN INT64_MAX

struct channel {
    struct log *log;
    char *fifo_path;
    struct log_files files;
    enum stream stream;
    int fifo_fd;

    int file_fd;           /* thread; -1: not open */
    bool copies;           /* thread: its file system can't splice */
    bool rotate_due;       /* thread: for its age, or asked for: at the next end of a line */
    int64_t rotate_after;  /* thread: a rotation has failed, not before this time again */
    int64_t age_at;        /* thread: when the file is too old; CLOCK_NEVER */
    struct list in_paused; /* thread */
    int64_t retry_at;      /* thread */
    struct list in_held;   /* thread: waits for room on the console */
    struct list in_ready;  /* thread: has lines for the console */
    struct outbox outbox;  /* thread */
    struct ring ring;      /* thread */
    /* Thread: read and thrown away since the last line that says so. */
    uint64_t file_dropped, console_dropped;
    int file_error, console_error, rotate_error, compress_error; /* thread: -errno, 0 */
    /* Thread: the file holds what came since this position as it came, after a note of so many
     * bytes. NEVER_PLAIN: the ring is asked. */
    int64_t plain_since;
    size_t plain_note;

    struct list in_fd_store GUARDED_BY(fd_store_lock_class);
    struct list in_wanted GUARDED_BY(logs_lock_class);
    int64_t captured GUARDED_BY(logs_lock_class);    /* bytes taken since it was opened */
    int64_t filed GUARDED_BY(logs_lock_class);       /* bytes put into files since then */
    struct list waiters GUARDED_BY(logs_lock_class); /* waiter.same */
    char base[];                                     /* of its files' names */
};

/* A position that was given out: of both streams together, and of stdout. */
struct mark {
    int64_t sum, out;
};
#define MARKS 16

struct log {
    struct logs *logs;

    /* Stderr may be NULL; both of what has always been a unit. */
    struct channel *channels[STREAMS] GUARDED_BY(logs_lock_class);
    char *unit GUARDED_BY(logs_lock_class);        /* whose journal is the log; NULL: none's */
    enum bus_type bus GUARDED_BY(logs_lock_class); /* of the unit */
    bool separate GUARDED_BY(logs_lock_class);     /* of the next instance */
    struct settings settings GUARDED_BY(logs_lock_class);
    struct list in_changed GUARDED_BY(logs_lock_class);
    struct log_trouble trouble GUARDED_BY(logs_lock_class);
    /* A position is exact only between two moves from a FIFO to its file. Who comes during one
     * is given the place that the thread finds when it is done. */
    bool moving GUARDED_BY(logs_lock_class);
    uint64_t moves GUARDED_BY(logs_lock_class);
    int position_waits GUARDED_BY(logs_lock_class);
    int64_t position GUARDED_BY(logs_lock_class);
    /* The last MARKS ones, in a circle, from when there is a stderr on: before, all was stdout. */
    struct mark *marks GUARDED_BY(logs_lock_class);
    size_t marked GUARDED_BY(logs_lock_class); /* how many there were */
    char name[];
};

void logs_lock(struct logs *logs) ACQUIRE(logs_lock_class);
void logs_unlock(struct logs *logs) RELEASE(logs_lock_class);
void logs_wake(struct logs *logs); /* the thread looks at its lists again */
bool logs_stopping(struct logs *logs) EXCLUDES(logs_lock_class);

/* NULL: not open. */
struct log *logs_find(struct logs *logs, const char *name) REQUIRES(logs_lock_class);
/* For walking over all without holding the lock: the one at index, or NULL. */
struct log *logs_at(struct logs *logs, size_t index) EXCLUDES(logs_lock_class);

/* NULL: there is none. */
struct channel *log_channel(struct log *log, enum stream stream) EXCLUDES(logs_lock_class);
void log_settings(struct log *log, struct settings *ret_settings) EXCLUDES(logs_lock_class);
void log_free(struct log *log); /* NULL is fine */

/* For walking over every channel of every log: the next one after index, which is counted on. */
struct channel *logs_next_channel(struct logs *logs, size_t *index) EXCLUDES(logs_lock_class);
