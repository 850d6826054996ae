#include "base/lock.h"

#include "base/clock.h"
#include "base/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* A mutex call fails only when the program is wrong; going on would run unlocked. */
static void must(int result)
{
    if (result != 0)
        abort();
}

/* ---- the order ---- */

#ifdef ORDERLY_LOCK_ORDER

#define HELD_MAX 8

static const struct {
    enum lock_rank rank;
    const char *text; /* "name: what it is for" */
} kinds[] = {
#define LOCK_DESCRIBED(kind, rank, what) [LOCK_##kind] = {LOCK_RANK_##rank, what},
    LOCK_CLASSES(LOCK_DESCRIBED)
#undef LOCK_DESCRIBED
};

/* What this thread holds, in the order in which it was taken. */
static _Thread_local struct {
    const struct lock *locks[HELD_MAX];
    size_t count;
} held;

static void print_lock(const struct lock *lock)
{
    fprintf(stderr, "    %s (rank %d)\n", kinds[lock->kind].text, (int)kinds[lock->kind].rank);
}

static void broken(const char *what, const struct lock *lock)
{
    fprintf(stderr, "lock order: %s\n", what);
    print_lock(lock);
    fprintf(stderr, "while this thread holds, the last one taken first:%s\n",
            held.count ? "" : " none");
    while (held.count > 0)
        print_lock(held.locks[--held.count]);
    abort();
}

static void order_init(struct lock *lock, enum lock_kind kind)
{
    lock->kind = kind;
}

static void order_take(const struct lock *lock)
{
    for (size_t i = 0; i < held.count; i++)
        if (kinds[lock->kind].rank <= kinds[held.locks[i]->kind].rank)
            broken("this one must not be taken", lock);
    if (held.count == HELD_MAX)
        broken("too many are held to take this one", lock);
    held.locks[held.count++] = lock;
}

static void order_release(const struct lock *lock)
{
    size_t at = held.count;

    while (at > 0 && held.locks[at - 1] != lock)
        at--;
    if (at == 0)
        broken("this one is released and not held", lock);
    for (held.count--; at <= held.count; at++)
        held.locks[at - 1] = held.locks[at];
}

static void order_wait(const struct lock *lock)
{
    for (size_t i = 0; i < held.count; i++)
        if (held.locks[i] != lock && kinds[held.locks[i]->kind].rank >= LOCK_RANK_SERVICE)
            broken("this one is waited with while others wait for another", lock);
}

#else

static void order_init(struct lock *lock, enum lock_kind kind)
{
    (void)lock, (void)kind;
}

static void order_take(const struct lock *lock)
{
    (void)lock;
}

static void order_release(const struct lock *lock)
{
    (void)lock;
}

static void order_wait(const struct lock *lock)
{
    (void)lock;
}

#endif

/* ---- locks ---- */

void lock_init(struct lock *lock, enum lock_kind kind)
{
    must(pthread_mutex_init(&lock->mutex, NULL));
    order_init(lock, kind);
}

void lock_deinit(struct lock *lock)
{
    must(pthread_mutex_destroy(&lock->mutex));
}

void lock_take(struct lock *lock)
{
    order_take(lock); /* before: a thread that would wait for itself says so */
    must(pthread_mutex_lock(&lock->mutex));
}

void lock_release(struct lock *lock)
{
    order_release(lock);
    must(pthread_mutex_unlock(&lock->mutex));
}

void cond_init(struct cond *cond)
{
    pthread_condattr_t attributes;

    must(pthread_condattr_init(&attributes));
    must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
    must(pthread_cond_init(&cond->cond, &attributes));
    pthread_condattr_destroy(&attributes);
}

void cond_deinit(struct cond *cond)
{
    must(pthread_cond_destroy(&cond->cond));
}

void cond_wait(struct cond *cond, struct lock *lock)
{
    order_wait(lock);
    must(pthread_cond_wait(&cond->cond, &lock->mutex));
}

int cond_wait_until(struct cond *cond, struct lock *lock, int64_t until_us)
{
    struct timespec until = {.tv_sec = until_us / USEC_PER_SEC,
                             .tv_nsec = until_us % USEC_PER_SEC * 1000};
    int result;

    order_wait(lock);
    result = pthread_cond_timedwait(&cond->cond, &lock->mutex, &until);
    if (result == ETIMEDOUT)
        return 0;
    must(result);
    return 1;
}

void cond_signal(struct cond *cond)
{
    must(pthread_cond_signal(&cond->cond));
}

void cond_broadcast(struct cond *cond)
{
    must(pthread_cond_broadcast(&cond->cond));
}

int thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *argument)
{
    sigset_t all, old;
    int result = FAULT(thread_start);

    if (result < 0)
        return result;
    sigfillset(&all);
    must(pthread_sigmask(SIG_SETMASK, &all, &old));
    result = pthread_create(ret_thread, NULL, run, argument);
    must(pthread_sigmask(SIG_SETMASK, &old, NULL));
    if (result == 0)
        pthread_setname_np(*ret_thread, name);
    return -result;
}
