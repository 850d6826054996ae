#include "settle.h"

#include "base/clock.h"

#define PATIENCE (5 * USEC_PER_SEC)

void settle_told(struct host *host)
{
    atomic_fetch_add(&host->unshown, 1);
}

void settle_shown(struct host *host)
{
    if (atomic_fetch_sub(&host->unshown, 1) > 1)
        return;
    lock_take(&host->stops_lock);
    cond_broadcast(&host->stops_done);
    lock_release(&host->stops_lock);
}

void settle_wait(struct host *host)
{
    int64_t until = clock_mono_us() + PATIENCE;

    lock_take(&host->stops_lock);
    while (atomic_load(&host->unshown) > 0)
        if (!cond_wait_until(&host->stops_done, &host->stops_lock, until))
            break;
    lock_release(&host->stops_lock);
}
