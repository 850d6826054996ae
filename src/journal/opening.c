#include "opening.h"

#include "base/clock.h"

/* An attempt to open fails or succeeds well within it, but on a disk that hangs. */
#define PATIENCE_US USEC_PER_SEC

struct lock_class opening_lock_class;

static void opening_lock(struct opening *opening) ACQUIRE(opening_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&opening->lock);
}

static void opening_unlock(struct opening *opening)
    RELEASE(opening_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&opening->lock);
}

void opening_init(struct opening *opening)
{
    lock_init(&opening->lock, LOCK_OPENING);
    cond_init(&opening->done);
}

void opening_deinit(struct opening *opening)
{
    cond_deinit(&opening->done);
    lock_deinit(&opening->lock);
}

bool opening_enter(struct opening *opening, unsigned *ret_epoch)
{
    int64_t until = clock_mono_us() + PATIENCE_US;
    bool open;

    *ret_epoch = atomic_load(&opening->epoch);
    if (*ret_epoch > 0)
        return true;
    opening_lock(opening);
    while (opening->closed && cond_wait_until(&opening->done, &opening->lock, until))
        ;
    open = !opening->closed;
    *ret_epoch = atomic_load(&opening->epoch);
    if (open && *ret_epoch == 0)
        opening->users++;
    opening_unlock(opening);
    return open;
}

void opening_leave(struct opening *opening)
{
    opening_lock(opening);
    opening->users--;
    opening_unlock(opening);
}

bool opening_begin(struct opening *opening)
{
    bool nobody;

    if (atomic_load(&opening->epoch) > 0)
        return true;
    opening_lock(opening);
    nobody = opening->users == 0;
    opening->closed = nobody;
    opening_unlock(opening);
    return nobody;
}

void opening_done(struct opening *opening, bool opened)
{
    opening_lock(opening);
    opening->closed = false;
    if (opened)
        atomic_fetch_add(&opening->epoch, 1);
    cond_broadcast(&opening->done);
    opening_unlock(opening);
}
