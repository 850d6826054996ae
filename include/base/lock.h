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

struct lock {
    pthread_mutex_t mutex;
};

/* A condition whose timed waits are on the monotonic clock. */
struct cond {
    pthread_cond_t cond;
};

void lock_init(struct lock *lock);
void lock_deinit(struct lock *lock);
void lock_take(struct lock *lock);
void lock_release(struct lock *lock);

void cond_init(struct cond *cond);
void cond_deinit(struct cond *cond);
void cond_wait(struct cond *cond, struct lock *lock);
/* Waits until until_us (clock_mono_us) at most; false: the time has come. */
int cond_wait_until(struct cond *cond, struct lock *lock, int64_t until_us);
void cond_signal(struct cond *cond);
void cond_broadcast(struct cond *cond);

/* Starts a named thread with every signal blocked; 0 or -errno. */
int thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *argument);
