#include "writer.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CALLER_ROUNDS 8
#define QUICK_TRIES   10
#define FIRST_DELAY   (5 * USEC_PER_MSEC)
#define LONGEST_DELAY USEC_PER_SEC
#define CALM_DELAY    (2 * USEC_PER_SEC)

struct lock_class writer_lock_class;

static void writer_lock(struct writer *w) ACQUIRE(writer_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&w->lock);
}

static void writer_unlock(struct writer *w) RELEASE(writer_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&w->lock);
}

/* ---- what the outcome of a transaction means ---- */

/* Half of the delay is left to chance, so as not to keep step with another program's retries. */
static int64_t delay_after(int tries)
{
    int64_t delay = CALM_DELAY;

    if (tries <= QUICK_TRIES) {
        delay = FIRST_DELAY << (tries - 1);
        if (delay > LONGEST_DELAY)
            delay = LONGEST_DELAY;
    }
    return delay / 2 + (int64_t)arc4random_uniform((uint32_t)(delay / 2));
}

static void note_success(struct writer *w) REQUIRES(writer_lock_class)
{
    w->failure = 0;
    w->failure_told = false;
    w->tries = 0;
    w->next_try = 0;
}

/* A lock that another holds for a moment is nothing to tell of. */
static void note_failure(struct writer *w, const struct error *err) REQUIRES(writer_lock_class)
{
    w->tries++;
    w->next_try = clock_mono_us() + delay_after(w->tries);
    w->failure = err->code;
    if (err->code != -EBUSY || w->tries > QUICK_TRIES)
        w->failure_told = true;
    snprintf(w->failure_text, sizeof w->failure_text, "%.255s", err->text);
}

/* Writes a batch and notes how it went: false puts it back to the head of the queue. */
static bool write_batch(struct writer *w, struct list *batch) EXCLUDES(writer_lock_class)
{
    struct error err = {0};
    bool written = store_write(w->store, batch, &err) == 0;

    writer_lock(w);
    if (written) {
        note_success(w);
    } else {
        note_failure(w, &err);
        list_take_all(batch, &w->queue);
        list_take_all(&w->queue, batch);
    }
    writer_unlock(w);
    return written;
}

/* Why those that are late were not written. */
static int lateness(struct writer *w, const struct list *late) REQUIRES(writer_lock_class)
{
    if (list_empty(late) || w->failure == 0)
        return -ETIMEDOUT;
    w->failure_told = true;
    return w->failure;
}

/* ---- a caller leads ---- */

/* A failure that was told of is the thread's as well: it finds out when it is over. */
static void hand_over(struct writer *w) REQUIRES(writer_lock_class)
{
    w->leader = list_empty(&w->queue) && !w->failure_told ? LEADER_NONE : LEADER_THREAD;
    if (w->leader == LEADER_THREAD || w->closing)
        cond_signal(&w->wake);
}

static void lead(struct writer *w) EXCLUDES(writer_lock_class)
{
    bool going = true;

    for (int round = 0; going; round++) {
        struct list batch, late;
        int why;

        list_init(&batch);
        list_init(&late);
        writer_lock(w);
        group_take_late(&w->queue, clock_mono_us(), &late);
        why = lateness(w, &late);
        going = round < CALLER_ROUNDS && !list_empty(&w->queue);
        if (going)
            list_take_all(&batch, &w->queue);
        else
            hand_over(w);
        writer_unlock(w);
        group_finish(&late, why);
        if (going && write_batch(w, &batch))
            group_finish(&batch, 0);
        else if (going)
            round = CALLER_ROUNDS; /* the thread tries again */
    }
}

void writer_submit(struct writer *w, struct group *group)
{
    bool leads;

    writer_lock(w);
    list_append(&w->queue, &group->link);
    leads = w->leader == LEADER_NONE;
    if (leads)
        w->leader = LEADER_CALLER;
    else if (group->give_up_mono != 0 && group->give_up_mono < w->wakes_at)
        cond_signal(&w->wake);
    writer_unlock(w);
    if (leads)
        lead(w);
}

/* ---- the thread leads ---- */

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
    return *closing && w->tries >= QUICK_TRIES;
}

/* What is to be done next, and to which groups; waits when it is nothing yet. */
static enum duty next_duty(struct writer *w, bool *closing, struct list *groups, int *ret_why)
    REQUIRES(writer_lock_class)
{
    int64_t now = clock_mono_us();
    int64_t nearest;

    if (tries_used_up(w, closing)) {
        list_take_all(groups, &w->queue);
        w->leader = LEADER_NONE;
        *ret_why = -ECANCELED;
        return DUTY_OVER;
    }
    nearest = group_take_late(&w->queue, now, groups);
    if (!list_empty(groups)) {
        *ret_why = lateness(w, groups);
        return DUTY_WITHDRAW;
    }
    if (list_empty(&w->queue) && (!w->failure_told || *closing)) {
        w->leader = LEADER_NONE;
        return DUTY_OVER;
    }
    if (now < w->next_try) {
        wait_until(w, nearest < w->next_try ? nearest : w->next_try);
        return DUTY_WAITED;
    }
    list_take_all(groups, &w->queue);
    return DUTY_WRITE;
}

static void serve(struct writer *w) EXCLUDES(writer_lock_class)
{
    bool closing = false;
    enum duty duty;

    do {
        struct list groups;
        int why = 0;

        list_init(&groups);
        writer_lock(w);
        duty = next_duty(w, &closing, &groups, &why);
        writer_unlock(w);
        if (duty != DUTY_WRITE || write_batch(w, &groups))
            group_finish(&groups, why);
    } while (duty != DUTY_OVER);
}

/* Sleeps until there is something for the thread; false: the end. */
static bool await_work(struct writer *w) EXCLUDES(writer_lock_class)
{
    bool work;

    writer_lock(w);
    while (w->leader != LEADER_THREAD && !(w->closing && w->leader == LEADER_NONE))
        cond_wait(&w->wake, &w->lock);
    work = w->leader == LEADER_THREAD;
    writer_unlock(w);
    return work;
}

static void *run(void *argument)
{
    struct writer *w = argument;

    while (await_work(w))
        serve(w);
    return NULL;
}

/* ---- beginning and end ---- */

int writer_start(struct writer *w, struct store *store, struct error *err) NO_THREAD_SAFETY_CHECK
{
    int result;

    *w = (struct writer){.store = store};
    list_init(&w->queue);
    lock_init(&w->lock);
    cond_init(&w->wake);
    result = thread_start(&w->thread, "journal", run, w);
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

bool writer_writable(struct writer *w, char text[static 256])
{
    bool writable;

    writer_lock(w);
    writable = !w->failure_told;
    snprintf(text, sizeof w->failure_text, "%s", writable ? "ok" : w->failure_text);
    writer_unlock(w);
    return writable;
}
