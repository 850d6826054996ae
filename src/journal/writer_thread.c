/* The journal's own thread: it leads while SQLite cannot write, and sees to the log. */
#include "writer_private.h"

#include "base/clock.h"

#include <errno.h>

#define KEPT_MOST 32768 /* groups, while they cannot be written */

enum duty { DUTY_WRITE, DUTY_WITHDRAW, DUTY_WAITED, DUTY_OVER };

static void wait_until(struct writer *w, int64_t until) REQUIRES(writer_lock_class)
{
    w->wakes_at = until;
    cond_wait_until(&w->wake, &w->lock, until);
    w->wakes_at = 0;
}

/* At the end what is queued gets as many tries as it would have had at first, and not one more. */
static bool tries_used_up(struct writer *w, bool *closing) REQUIRES(writer_lock_class)
{
    if (w->closing && !*closing) {
        *closing = true;
        w->tries = 0;
        w->next_try = 0;
    }
    return *closing && w->tries >= WRITER_QUICK_TRIES;
}

/* Which are to be withdrawn now, and why. */
static int take_hopeless(struct writer *w, int64_t now, struct list *groups, int64_t *ret_nearest)
    REQUIRES(writer_lock_class)
{
    *ret_nearest = group_take_late(&w->queue, now, groups);
    if (!list_empty(groups) || !w->failure_told)
        return writer_lateness(w, groups);
    if (w->full)
        group_take_plain(&w->queue, groups);
    group_take_excess(&w->queue, KEPT_MOST, groups);
    return w->failure;
}

/* What is to be done next, and to which groups; waits when it is nothing yet. */
static enum duty next_duty(struct writer *w, bool *closing, struct list *groups, int *ret_why)
    REQUIRES(writer_lock_class)
{
    int64_t now = clock_mono_us();
    int64_t nearest, due;

    if (tries_used_up(w, closing)) {
        list_take_all(groups, &w->queue);
        w->leader = LEADER_NONE;
        *ret_why = -ECANCELED;
        return DUTY_OVER;
    }
    *ret_why = take_hopeless(w, now, groups, &nearest);
    if (!list_empty(groups))
        return DUTY_WITHDRAW;
    if (!writer_is_due(w) && (!w->failure_told || *closing)) {
        w->leader = LEADER_NONE;
        return DUTY_OVER;
    }
    due = list_empty(&w->queue) ? w->next_probe : w->next_try;
    if (now < due) {
        wait_until(w, nearest < due ? nearest : due);
        return DUTY_WAITED;
    }
    writer_take(w, groups);
    *ret_why = 0;
    return DUTY_WRITE;
}

static void tend_log(struct writer *w) EXCLUDES(writer_lock_class)
{
    bool differs;

    if (!log_watch_due(&w->store->log) || !store_sound(w->store))
        return;
    log_watch_tend(&w->store->log, w->store->db);
    writer_lock(w);
    writer_note_store(w);
    differs = writer_state_differs(w);
    writer_unlock(w);
    writer_tell(w, differs);
}

static void serve(struct writer *w) EXCLUDES(writer_lock_class)
{
    bool closing = false;
    enum duty duty;

    do {
        struct list groups;
        bool differs;
        int why = 0;

        tend_log(w);
        list_init(&groups);
        writer_lock(w);
        duty = next_duty(w, &closing, &groups, &why);
        differs = writer_state_differs(w);
        writer_unlock(w);
        writer_tell(w, differs);
        if (duty != DUTY_WRITE || (writer_restore(w, &groups) && writer_write(w, &groups)))
            group_finish(&groups, why);
    } while (duty != DUTY_OVER);
}

/* The log may be cut back by now, and nobody writes who would do it. */
static void check_log(struct writer *w) EXCLUDES(writer_lock_class)
{
    bool differs;

    if (store_sound(w->store))
        log_watch_check(&w->store->log, w->store->db);
    writer_lock(w);
    writer_note_store(w);
    w->leader = writer_is_due(w) ? LEADER_THREAD : LEADER_NONE;
    differs = writer_state_differs(w);
    writer_unlock(w);
    writer_tell(w, differs);
}

enum work { WORK_NONE, WORK_SERVE, WORK_CHECK, WORK_END };

/* Sleeps until somebody gives the thread the lead, the log is to be looked at, or what was to come
 * later has waited long enough. */
static void doze(struct writer *w) REQUIRES(writer_lock_class)
{
    int64_t now = clock_mono_us();

    w->dozes_until = now < w->check_at ? w->check_at : CLOCK_NEVER;
    if (now < w->later_at && w->later_at < w->dozes_until)
        w->dozes_until = w->later_at;
    if (w->dozes_until == CLOCK_NEVER)
        cond_wait(&w->wake, &w->lock);
    else
        cond_wait_until(&w->wake, &w->lock, w->dozes_until);
    w->dozes_until = 0;
}

static enum work work_now(const struct writer *w) REQUIRES(writer_lock_class)
{
    if (w->leader == LEADER_CALLER)
        return WORK_NONE;
    if (w->leader == LEADER_THREAD || writer_is_due(w))
        return WORK_SERVE;
    if (w->closing)
        return WORK_END;
    return clock_mono_us() >= w->check_at ? WORK_CHECK : WORK_NONE;
}

static enum work await_work(struct writer *w) EXCLUDES(writer_lock_class)
{
    enum work work;

    writer_lock(w);
    while ((work = work_now(w)) == WORK_NONE)
        doze(w);
    if (work != WORK_END)
        w->leader = LEADER_THREAD;
    writer_unlock(w);
    return work;
}

void *writer_run(void *argument)
{
    struct writer *w = argument;
    enum work work;

    while ((work = await_work(w)) != WORK_END)
        if (work == WORK_CHECK)
            check_log(w);
        else
            serve(w);
    return NULL;
}
