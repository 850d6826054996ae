#include "ping.h"

#include "base/clock.h"

struct lock_class ping_lock_class;

static void ping_lock(struct ping *p) ACQUIRE(ping_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&p->lock);
}

static void ping_unlock(struct ping *p) RELEASE(ping_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&p->lock);
}

static void passed(struct deadline *deadline)
{
    struct ping *ping = list_entry(deadline, struct ping, deadline);

    run_queue_add(ping->queue, &ping->item);
}

static void answer(struct run_item *item)
{
    struct ping *ping = list_entry(item, struct ping, item);

    ping_lock(ping);
    ping->asked = false;
    ping->answers++;
    cond_broadcast(&ping->answered);
    ping_unlock(ping);
}

void ping_init(struct ping *ping, struct watcher *watcher,
               struct run_queue *queue) NO_THREAD_SAFETY_CHECK
{
    *ping = (struct ping){
        .watcher = watcher,
        .queue = queue,
        .deadline.passed = passed,
        .item.run = answer,
    };
    lock_init(&ping->lock, LOCK_PING);
    cond_init(&ping->answered);
    list_init(&ping->item.link);
}

void ping_deinit(struct ping *ping)
{
    cond_deinit(&ping->answered);
    lock_deinit(&ping->lock);
}

bool ping_ask(struct ping *ping, int64_t until_mono)
{
    uint64_t before;
    bool answered;

    ping_lock(ping);
    before = ping->answers;
    if (!ping->asked) {
        ping->asked = true;
        watcher_set(ping->watcher, &ping->deadline, clock_mono_us());
    }
    while (ping->answers == before)
        if (!cond_wait_until(&ping->answered, &ping->lock, until_mono))
            break;
    answered = ping->answers != before;
    ping_unlock(ping);
    return answered;
}
