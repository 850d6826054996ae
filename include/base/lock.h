/* lock - pthread mutexes and condition variables under clang's thread-safety analysis.
 * clang 14 cannot name a member of the same struct in a C attribute, so every kind of lock has a
 * file-scope class (`extern struct lock_class x_lock_class`) that fields are GUARDED_BY and that
 * x_lock() and x_unlock() acquire and release; the class exists for the compiler only. That also
 * makes holding two locks of one class an error, which is what the lock order asks for.
 * Threads: any. Ownership: a lock lies in what it guards. */
#pragma once

#include <pthread.h>
#include <stdint.h>

#ifdef __clang__
#define THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define THREAD_ATTRIBUTE(x)
#endif
#define GUARDED_BY(class)      THREAD_ATTRIBUTE(guarded_by(class))
#define REQUIRES(class)        THREAD_ATTRIBUTE(requires_capability(class))
#define ACQUIRE(class)         THREAD_ATTRIBUTE(acquire_capability(class))
#define RELEASE(class)         THREAD_ATTRIBUTE(release_capability(class))
#define EXCLUDES(class)        THREAD_ATTRIBUTE(locks_excluded(class))
#define NO_THREAD_SAFETY_CHECK THREAD_ATTRIBUTE(no_thread_safety_analysis)

struct THREAD_ATTRIBUTE(capability("mutex")) lock_class {
    char unused;
};

/* Every lock's class, and its rank: whoever holds one may only take those of a higher rank. So two
 * of one class, or two leaves, are never held together, and no two threads can wait for each other.
 * Builds with ORDERLY_LOCK_ORDER check it at each taking, and abort; others keep nothing of it.
 *
 *   rank      what it is
 *   OUTER     held over a whole reload, or a renewal: may wait for what is slow
 *   SHARED    what readers share: the first one writes it, from all that lies below
 *   REGISTRY  the services by name
 *   SERVICE   one service's mailbox
 *   SHOWN     what others see and wait for a change of: who waits is noted under it
 *   INNER     one leaf is taken under it: deadlines are set, gates are opened
 *   LEAF      nothing is taken under it */
enum lock_rank {
    LOCK_RANK_OUTER = 1,
    LOCK_RANK_SHARED,
    LOCK_RANK_REGISTRY,
    LOCK_RANK_SERVICE,
    LOCK_RANK_SHOWN,
    LOCK_RANK_INNER,
    LOCK_RANK_LEAF,
};

/* clang-format off */
#define LOCK_CLASSES(CLASS)                                                                        \
    CLASS(RELOADING, OUTER, "reloading: one reload of the configuration at a time")                \
    CLASS(RENEWING, OUTER, "renewing: the parent of all groups is made again by one at a time")    \
    CLASS(TEST, OUTER, "test: a test's own")                                                       \
    CLASS(STATUS, SHARED, "status: the written status that all readers share")                     \
    CLASS(REGISTRY, REGISTRY, "registry: services by name, and who depends on whom")               \
    CLASS(SERVICE, SERVICE, "service: its mailbox and its queue")                                  \
    CLASS(EVENTS, SHOWN, "events: what has happened, for those who follow")                        \
    CLASS(BOARD, SHOWN, "board: the statuses as published")                                        \
    CLASS(GROUP_WATCH, INNER, "group_watch: groups that are watched; wakes by the watcher")        \
    CLASS(WAITS, INNER, "waits: who waits for an end or a change")                                 \
    CLASS(PATIENCE, INNER, "patience: connections by their deadlines")                             \
    CLASS(PING, INNER, "ping: whether the threads still turn")                                     \
    CLASS(HTTP, INNER, "http: requests that are under way")                                        \
    CLASS(STOPS, LEAF, "stops: what boot and shutdown count")                                      \
    CLASS(RUN_QUEUE, LEAF, "run_queue: services with mail")                                        \
    CLASS(OP_INDEX, LEAF, "op_index: operations by id")                                            \
    CLASS(KEYS, LEAF, "keys: Idempotency-Keys that are being answered")                            \
    CLASS(WRITER, LEAF, "writer: what is to be written to the journal")                            \
    CLASS(READERS, LEAF, "readers: the journal's short readers")                                   \
    CLASS(OPENING, LEAF, "opening: whether the journal may be read just now")                      \
    CLASS(MARKS, LEAF, "marks: places in the file of marks")                                       \
    CLASS(WATCHER, LEAF, "watcher: descriptors and deadlines")                                     \
    CLASS(INSTANCE, LEAF, "instance: its pids, so that none is signalled once it is reaped")       \
    CLASS(INSTANCES, LEAF, "instances: the instance file")                                         \
    CLASS(SPAWNER, LEAF, "spawner: descriptors kept for starting services")                        \
    CLASS(UNITS, LEAF, "units: orders for the bus thread")                                         \
    CLASS(LOGS, LEAF, "logs: channels, settings and positions")                                    \
    CLASS(FD_STORE, LEAF, "fd_store: FIFOs that systemd keeps")                                    \
    CLASS(NOTIFY, LEAF, "notify: what systemd is told")                                            \
    CLASS(GATE, LEAF, "gate: whether one request may go on")                                       \
    CLASS(AUTH, LEAF, "auth: the tokens, and refusals that are counted")                           \
    CLASS(TLS, LEAF, "tls: the certificate")
/* clang-format on */

enum lock_kind {
#define LOCK_NAMED(kind, rank, what) LOCK_##kind,
    LOCK_CLASSES(LOCK_NAMED)
#undef LOCK_NAMED
};

struct lock {
    pthread_mutex_t mutex;
#ifdef ORDERLY_LOCK_ORDER
    enum lock_kind kind;
#endif
};

/* A condition whose timed waits are on the monotonic clock. */
struct cond {
    pthread_cond_t cond;
};

void lock_init(struct lock *lock, enum lock_kind kind);
void lock_deinit(struct lock *lock);
void lock_take(struct lock *lock);
void lock_release(struct lock *lock);

void cond_init(struct cond *cond);
void cond_deinit(struct cond *cond);
/* No service's lock may be held, nor another below it: its work would wait too. */
void cond_wait(struct cond *cond, struct lock *lock);
/* Waits until until_us (clock_mono_us) at most; false: the time has come. */
int cond_wait_until(struct cond *cond, struct lock *lock, int64_t until_us);
void cond_signal(struct cond *cond);
void cond_broadcast(struct cond *cond);

/* Starts a named thread with every signal blocked; 0 or -errno. */
int thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *argument);
