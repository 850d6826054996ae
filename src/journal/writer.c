#include "writer_private.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>

#define CALLER_ROUNDS 8

struct lock_class writer_lock_class;

void writer_lock(struct writer *w) ACQUIRE(writer_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&w->lock);
}

void writer_unlock(struct writer *w) RELEASE(writer_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&w->lock);
}

/* ---- a caller leads ---- */

/* A failure that was told of is the thread's as well: it finds out when it is over. So is the log:
 * who asked has an answer to give, and is not to wait for the disk. */
static void hand_over(struct writer *w) REQUIRES(writer_lock_class)
{
    bool idle = !writer_is_due(w) && !w->failure_told && !log_watch_due(&w->store->log);

    w->leader = idle ? LEADER_NONE : LEADER_THREAD;
    if (w->leader == LEADER_THREAD || w->closing || w->check_at < w->dozes_until)
        cond_signal(&w->wake);
}

/* The first round is for what the caller has brought, the others for those who wait. */
static bool goes_on(const struct writer *w, int round) REQUIRES(writer_lock_class)
{
    if (round == 0)
        return writer_is_due(w);
    return round < CALLER_ROUNDS && group_any_pressing(&w->queue) && !log_watch_due(&w->store->log);
}

/* Takes what is queued; empty: the leadership was given away. */
static void take_batch(struct writer *w, bool over, int round, struct list *batch)
    EXCLUDES(writer_lock_class)
{
    struct list late;
    bool differs;
    int why;

    list_init(batch);
    list_init(&late);
    writer_lock(w);
    group_take_late(&w->queue, clock_mono_us(), &late);
    why = writer_lateness(w, &late);
    differs = writer_state_differs(w);
    if (!over && goes_on(w, round))
        writer_take(w, batch);
    else
        hand_over(w);
    writer_unlock(w);
    writer_tell(w, differs);
    group_finish(&late, why);
}

/* Whether the caller's part in it is over. */
static bool write_or_return(struct writer *w, struct list *batch) EXCLUDES(writer_lock_class)
{
    if (store_sound(w->store)) {
        if (!writer_write(w, batch))
            return true; /* the thread tries again */
        group_finish(batch, 0);
        return false;
    }
    writer_lock(w);
    writer_put_back(w, batch);
    writer_unlock(w);
    return true;
}

static void lead(struct writer *w) EXCLUDES(writer_lock_class)
{
    bool over = false;
    struct list batch;

    for (int round = 0;; round++) {
        take_batch(w, over, round, &batch);
        if (list_empty(&batch))
            return;
        over = write_or_return(w, &batch);
    }
}

/* The thread sleeps until a time that was set before: what comes may be for it sooner. */
static bool is_for_thread(const struct writer *w, const struct group *group)
    REQUIRES(writer_lock_class)
{
    return w->full || (group->give_up_mono != 0 && group->give_up_mono < w->wakes_at);
}

/* It may wait for company: true; unless there is enough of it. */
static bool comes_later(struct writer *w, const struct group *group) REQUIRES(writer_lock_class)
{
    if (!group->later)
        return false;
    if (w->later_at == 0)
        w->later_at = clock_mono_us() + JOURNAL_LATER_US;
    return ++w->laters < WRITER_LATERS_MOST;
}

void writer_submit(struct writer *w, struct group *group)
{
    bool leads, later;

    writer_lock(w);
    list_append(&w->queue, &group->link);
    later = comes_later(w, group);
    leads = w->leader == LEADER_NONE && !later;
    if (later && w->later_at < w->dozes_until)
        cond_signal(&w->wake);
    if (leads)
        w->leader = LEADER_CALLER;
    else if (w->wakes_at != 0 && is_for_thread(w, group))
        cond_signal(&w->wake);
    writer_unlock(w);
    if (leads)
        lead(w);
}

/* Who leads has the connection for itself; what comes meanwhile is the thread's. Nothing is asked
 * of the disk: whoever calls this may not wait for it. */
void writer_give_back(struct writer *w)
{
    bool leads;

    writer_lock(w);
    leads = w->leader == LEADER_NONE;
    if (leads)
        w->leader = LEADER_CALLER;
    writer_unlock(w);
    if (!leads)
        return;
    if (w->store->db)
        sqlite3_db_release_memory(w->store->db);
    writer_lock(w);
    hand_over(w);
    writer_unlock(w);
}

/* ---- beginning and end ---- */

int writer_start(struct writer *w, struct store *store, const struct journal_config *config,
                 struct error *err) NO_THREAD_SAFETY_CHECK
{
    int result;

    *w = (struct writer){.store = store,
                         .state_changed = config->state_changed,
                         .context = config->context,
                         .check_at = CLOCK_NEVER};
    list_init(&w->queue);
    lock_init(&w->lock, LOCK_WRITER);
    cond_init(&w->wake);
    result = thread_start(&w->thread, "journal", writer_run, w);
    if (result < 0) {
        cond_deinit(&w->wake);
        lock_deinit(&w->lock);
        return error_set(err, result, "start the journal's thread: %m");
    }
    return 0;
}

void writer_stop(struct writer *w)
{
    writer_lock(w);
    w->closing = true;
    cond_signal(&w->wake);
    writer_unlock(w);
    pthread_join(w->thread, NULL);
    cond_deinit(&w->wake);
    lock_deinit(&w->lock);
}

void writer_trouble(struct writer *w, const struct error *why)
{
    bool differs;

    writer_lock(w);
    writer_note_failure(w, why);
    w->failure_told = true;
    if (w->leader == LEADER_NONE)
        hand_over(w);
    differs = writer_state_differs(w);
    writer_unlock(w);
    writer_tell(w, differs);
}

bool writer_takes_essential(struct writer *w)
{
    bool takes;

    writer_lock(w);
    takes = !w->failure_told || (w->full && w->tries == 0);
    writer_unlock(w);
    return takes;
}

bool writer_warning(struct writer *w, char text[static 256])
{
    bool warning;

    writer_lock(w);
    snprintf(text, 256, "%s", w->warning);
    warning = text[0] != '\0';
    writer_unlock(w);
    return warning;
}

bool writer_writable(struct writer *w, char text[static 256])
{
    bool writable;

    writer_lock(w);
    writable = !w->failure_told;
    snprintf(text, sizeof w->failure_text, "%s", writable ? "ok" : w->failure_text);
    writer_unlock(w);
    return writable;
}
