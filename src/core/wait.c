#include "wait.h"

#include "base/clock.h"

#include <stdlib.h>

struct lock_class wait_lock_class;

/* Whoever unlinks a wait under the lock calls it back and frees it. */
struct wait {
    struct list in_all, in_target;
    struct wait_set *set;
    struct deadline deadline;
    bool bounded, linked;
    wait_callback *callback;
    void *context;
};

static void wait_lock(struct wait_set *set) ACQUIRE(wait_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&set->lock);
}

static void wait_unlock(struct wait_set *set) RELEASE(wait_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&set->lock);
}

void wait_set_init(struct wait_set *set, struct watcher *watcher) NO_THREAD_SAFETY_CHECK
{
    *set = (struct wait_set){.watcher = watcher};
    lock_init(&set->lock, LOCK_WAITS);
    list_init(&set->all);
}

void wait_set_deinit(struct wait_set *set)
{
    lock_deinit(&set->lock);
}

static void unlink_wait(struct wait *wait) REQUIRES(wait_lock_class)
{
    list_remove(&wait->in_all);
    list_remove(&wait->in_target);
    wait->linked = false;
}

static void call_and_free(struct wait *wait)
{
    if (wait->bounded)
        watcher_clear(wait->set->watcher, &wait->deadline);
    wait->callback(wait->context);
    free(wait);
}

static void time_passed(struct deadline *deadline)
{
    struct wait *wait = list_entry(deadline, struct wait, deadline);
    struct wait_set *set = wait->set;
    bool mine;

    wait_lock(set);
    mine = wait->linked;
    if (mine)
        unlink_wait(wait);
    wait_unlock(set);
    if (mine)
        call_and_free(wait);
}

bool wait_set_add(struct wait_set *set, struct list *waiters, int64_t until_mono,
                  wait_callback *callback, void *context)
{
    struct wait *wait = calloc(1, sizeof *wait);
    bool released;

    if (!wait)
        return false;
    *wait = (struct wait){
        .set = set,
        .deadline.passed = time_passed,
        .bounded = until_mono != CLOCK_NEVER,
        .callback = callback,
        .context = context,
    };
    list_init(&wait->in_all);
    list_init(&wait->in_target);
    wait_lock(set);
    released = set->released;
    if (!released) {
        list_append(&set->all, &wait->in_all);
        list_append(waiters, &wait->in_target);
        wait->linked = true;
        if (wait->bounded) /* under the lock: afterwards it may be gone already */
            watcher_set(set->watcher, &wait->deadline, until_mono);
    }
    wait_unlock(set);
    if (released)
        free(wait);
    return !released;
}

void wait_set_fire(struct wait_set *set, struct list *waiters)
{
    struct list mine;

    list_init(&mine);
    wait_lock(set);
    list_for_each_safe(link, waiters)
    {
        struct wait *wait = list_entry(link, struct wait, in_target);

        unlink_wait(wait);
        list_append(&mine, &wait->in_all);
    }
    wait_unlock(set);
    list_for_each_safe(link, &mine) call_and_free(list_entry(link, struct wait, in_all));
}

void wait_set_release(struct wait_set *set)
{
    struct list mine;

    list_init(&mine);
    wait_lock(set);
    set->released = true;
    list_for_each_safe(link, &set->all)
    {
        struct wait *wait = list_entry(link, struct wait, in_all);

        unlink_wait(wait);
        list_append(&mine, &wait->in_all);
    }
    wait_unlock(set);
    list_for_each_safe(link, &mine) call_and_free(list_entry(link, struct wait, in_all));
}
