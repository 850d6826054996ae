#include "base/lock.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

/* A mutex call fails only when the program is wrong; going on would run unlocked. */
static void must(int result)
{
    if (result != 0)
        abort();
}

void lock_init(struct lock *lock)
{
    must(pthread_mutex_init(&lock->mutex, NULL));
}

void lock_deinit(struct lock *lock)
{
    must(pthread_mutex_destroy(&lock->mutex));
}

void lock_take(struct lock *lock)
{
    must(pthread_mutex_lock(&lock->mutex));
}

void lock_release(struct lock *lock)
{
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
    must(pthread_cond_wait(&cond->cond, &lock->mutex));
}

int cond_wait_until(struct cond *cond, struct lock *lock, int64_t until_us)
{
    struct timespec until = {.tv_sec = until_us / USEC_PER_SEC,
                             .tv_nsec = until_us % USEC_PER_SEC * 1000};
    int result = pthread_cond_timedwait(&cond->cond, &lock->mutex, &until);

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
    int result;

    sigfillset(&all);
    must(pthread_sigmask(SIG_SETMASK, &all, &old));
    result = pthread_create(ret_thread, NULL, run, argument);
    must(pthread_sigmask(SIG_SETMASK, &old, NULL));
    if (result == 0)
        pthread_setname_np(*ret_thread, name);
    return -result;
}
