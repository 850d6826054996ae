/* What the outcome of a transaction means: for what is queued, and for those who ask. */
#include "writer_private.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUICK_TRIES   WRITER_QUICK_TRIES
#define FIRST_DELAY   (5 * USEC_PER_MSEC)
#define DOUBLED       8 /* so often: 640 ms */
#define BUSY_DELAY    (40 * USEC_PER_MSEC)
#define LONGEST_DELAY USEC_PER_SEC
#define CALM_DELAY    (2 * USEC_PER_SEC)

/* Another program may take the lock again and again, and leave it only for moments: one of them is
 * to be met before patience is at its end. */
static int64_t longest_delay(int code, int tries)
{
    if (tries > QUICK_TRIES)
        return CALM_DELAY;
    return code == -EBUSY ? BUSY_DELAY : LONGEST_DELAY;
}

/* Half of the delay is left to chance, so as not to keep step with another program's retries. */
static int64_t delay_after(int code, int tries)
{
    int64_t delay = tries <= DOUBLED ? FIRST_DELAY << (tries - 1) : CALM_DELAY;
    int64_t longest = longest_delay(code, tries);

    if (tries > QUICK_TRIES || delay > longest)
        delay = longest;
    return delay / 2 + (int64_t)arc4random_uniform((uint32_t)(delay / 2));
}

bool writer_state_differs(struct writer *w) REQUIRES(writer_lock_class)
{
    const char *failure = w->failure_told ? w->failure_text : "";
    bool warning = w->warning[0] != '\0';

    if (warning == w->known_warning && strcmp(failure, w->known_failure) == 0)
        return false;
    w->known_warning = warning;
    snprintf(w->known_failure, sizeof w->known_failure, "%s", failure);
    return true;
}

void writer_tell(struct writer *w, bool differs) EXCLUDES(writer_lock_class)
{
    if (differs && w->state_changed)
        w->state_changed(w->context);
}

void writer_note_store(struct writer *w) REQUIRES(writer_lock_class)
{
    store_warning(w->store, w->warning);
    w->check_at = w->store->log.check_at;
}

/* Only the reserve could be written into: that is told as what it is. */
static void note_full(struct writer *w) REQUIRES(writer_lock_class)
{
    w->failure = -ENOSPC;
    w->failure_told = w->full = true;
    w->tries = 0;
    w->next_try = 0;
    w->next_probe = clock_mono_us() + CALM_DELAY;
    snprintf(w->failure_text, sizeof w->failure_text,
             "the disk is full: stops and what becomes of services are still written down");
}

static void note_success(struct writer *w) REQUIRES(writer_lock_class)
{
    writer_note_store(w);
    if (w->store->full) {
        note_full(w);
        return;
    }
    w->failure = 0;
    w->failure_told = w->full = false;
    w->tries = 0;
    w->next_try = w->next_probe = 0;
}

static void put_words(struct writer *w, const struct error *err) REQUIRES(writer_lock_class)
{
    const char *before = "";

    if (err->code == -EBUSY)
        before = "another program holds it: ";
    else if (err->code == -ENOSPC)
        before = "the disk is full: ";
    snprintf(w->failure_text, sizeof w->failure_text, "%s%.220s", before, err->text);
}

/* A lock that another holds for a moment is nothing to tell of. */
void writer_note_failure(struct writer *w, const struct error *err) REQUIRES(writer_lock_class)
{
    writer_note_store(w);
    w->tries++;
    w->next_try = w->next_probe = clock_mono_us() + delay_after(err->code, w->tries);
    w->failure = err->code;
    w->full = err->code == -ENOSPC;
    if (err->code != -EBUSY || w->tries > QUICK_TRIES)
        w->failure_told = true;
    put_words(w, err);
}

void writer_take(struct writer *w, struct list *batch) REQUIRES(writer_lock_class)
{
    list_take_all(batch, &w->queue);
    w->laters = 0;
    w->later_at = 0;
}

/* What was put back is tried again whether it presses or not. */
bool writer_is_due(const struct writer *w) REQUIRES(writer_lock_class)
{
    if (list_empty(&w->queue))
        return false;
    return w->closing || w->tries > 0 || w->laters >= WRITER_LATERS_MOST ||
           (w->later_at != 0 && clock_mono_us() >= w->later_at) || group_any_pressing(&w->queue);
}

void writer_put_back(struct writer *w, struct list *batch) REQUIRES(writer_lock_class)
{
    list_take_all(batch, &w->queue);
    list_take_all(&w->queue, batch);
}

bool writer_write(struct writer *w, struct list *batch) EXCLUDES(writer_lock_class)
{
    struct error err = {0};
    struct list refused;
    bool written, differs;

    list_init(&refused);
    written = store_write(w->store, batch, &refused, &err) == 0;
    writer_lock(w);
    if (written) {
        note_success(w);
    } else {
        writer_note_failure(w, &err);
        writer_put_back(w, batch);
    }
    differs = writer_state_differs(w);
    writer_unlock(w);
    writer_tell(w, differs);
    group_finish(&refused, -ENOSPC);
    return written;
}

bool writer_restore(struct writer *w, struct list *batch) EXCLUDES(writer_lock_class)
{
    struct error err = {0};
    bool differs;

    if (store_sound(w->store) || store_restore(w->store, &err) == 0)
        return true;
    writer_lock(w);
    writer_note_failure(w, &err);
    writer_put_back(w, batch);
    differs = writer_state_differs(w);
    writer_unlock(w);
    writer_tell(w, differs);
    return false;
}

int writer_lateness(struct writer *w, const struct list *late) REQUIRES(writer_lock_class)
{
    if (list_empty(late) || w->failure == 0)
        return -ETIMEDOUT;
    w->failure_told = true;
    return w->failure;
}
