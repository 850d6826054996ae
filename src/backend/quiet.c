#include "backend/quiet.h"

#include "base/clock.h"
#include "base/list.h"

static void set(struct quiet *q)
{
    watcher_set(q->watcher, &q->deadline, clock_mono_us() + q->after_us);
}

static void passed(struct deadline *deadline)
{
    struct quiet *q = list_entry(deadline, struct quiet, deadline);
    enum quiet_state falling = QUIET_FALLING;

    if (atomic_compare_exchange_strong(&q->state, &falling, QUIET_FELL)) {
        q->fell(q, atomic_exchange(&q->stirs, 0));
        return;
    }
    atomic_store(&q->state, QUIET_FALLING); /* who stirs between the two has done so just now */
    set(q);
}

void quiet_init(struct quiet *q, struct watcher *watcher, int64_t after_us,
                void (*fell)(struct quiet *quiet, unsigned stirs))
{
    *q = (struct quiet){
        .watcher = watcher, .deadline.passed = passed, .after_us = after_us, .fell = fell};
    atomic_init(&q->state, QUIET_FELL);
}

void quiet_deinit(struct quiet *q)
{
    if (q->watcher)
        watcher_clear(q->watcher, &q->deadline);
}

void quiet_stir(struct quiet *q)
{
    atomic_fetch_add(&q->stirs, 1);
    if (atomic_exchange(&q->state, QUIET_STIRRED) == QUIET_FELL)
        set(q);
}
