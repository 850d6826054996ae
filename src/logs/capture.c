/* What can't be kept is left in the FIFO, which holds the service once it is full, or is taken and
 * counted: as when_full says. Either is tried again every second, and only then is a drop ended,
 * so that a console that is slow is not told of a thousand times. */
#include "capture.h"

#include "age.h"
#include "base/clock.h"
#include "compress.h"
#include "keep.h"
#include "move.h"
#include "trouble.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

static void watch(struct channel *ch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = ch};

    epoll_ctl(ch->log->logs->epoll_fd, EPOLL_CTL_MOD, ch->fifo_fd, &event); /* it is there */
}

static void try_later(struct channel *ch)
{
    if (!list_empty(&ch->in_paused))
        return;
    ch->retry_at = clock_mono_us() + USEC_PER_SEC;
    list_append(&ch->log->logs->paused, &ch->in_paused);
}

/* ---- the file ---- */

static void file_fails(struct channel *ch, int error, const struct settings *s)
{
    ch->file_error = error;
    trouble_update(ch->log);
    if (s->when_full == WHEN_FULL_BLOCK)
        watch(ch, 0);
    try_later(ch);
}

static ssize_t put_in_file(struct channel *ch, const struct settings *s, size_t max)
{
    ssize_t taken;

    if (ch->file_error && s->when_full == WHEN_FULL_DROP) {
        try_later(ch);
        return keep_nothing(ch, max, true);
    }
    taken = keep(ch, s, max);
    if (taken >= 0)
        return taken;
    file_fails(ch, (int)taken, s);
    return s->when_full == WHEN_FULL_DROP ? keep_nothing(ch, max, true) : taken;
}

/* ---- the console ---- */

static void console_fails(struct channel *ch, int error)
{
    ch->console_error = error;
    trouble_update(ch->log);
}

static void console_heals(struct channel *ch)
{
    if (ch->console_error)
        console_fails(ch, 0);
}

/* It is trouble only when it lasts: see retry(). */
static void hold(struct channel *ch)
{
    console_hold(ch);
    watch(ch, 0);
    try_later(ch);
}

static void drop_for_console(struct channel *ch, size_t bytes)
{
    struct moved moved = {.dropped = bytes};

    ch->console_dropped += bytes;
    move_count(ch, &moved);
    if (!ch->console_error)
        console_fails(ch, console_fault(&ch->log->logs->console));
    try_later(ch);
}

static void put_on_console(struct channel *ch, const struct settings *s, size_t size)
{
    const char *data = ch->log->logs->peek.data;
    size_t taken = 0, n = 1;

    while (taken < size && n > 0 && (ch->console_dropped == 0 || s->when_full == WHEN_FULL_BLOCK)) {
        n = console_put(ch, s, data + taken, size - taken);
        taken += n;
        console_flush(ch->log->logs);
    }
    if (taken < size)
        drop_for_console(ch, size - taken);
    else
        console_heals(ch);
}

/* The line that says what was dropped; false: there is still no room. */
static bool say_on_console(struct channel *ch, const struct settings *s)
{
    char line[64];

    if (ch->console_dropped == 0)
        return true;
    snprintf(line, sizeof line, "[orderly: %llu bytes dropped]",
             (unsigned long long)ch->console_dropped);
    if (!outbox_roomy(&ch->outbox) || !console_put_line(ch, s, line))
        return false;
    ch->console_dropped = 0;
    console_heals(ch);
    console_flush(ch->log->logs);
    return true;
}

/* ---- one portion ---- */

/* How much may be taken: what was peeked at, and, where it may not be dropped, has room. */
static ssize_t look_ahead(struct channel *ch, const struct settings *s)
{
    struct peek *peek = &ch->log->logs->peek;
    ssize_t count = fifo_peek(ch->fifo_fd, peek, PEEK_MAX);
    size_t fits;

    if (count <= 0 || !to_console(s) || s->when_full == WHEN_FULL_DROP)
        return count;
    if (!say_on_console(ch, s)) /* it is left from when it was `drop` */
        fits = 0;
    else
        fits = console_fits(ch, s, peek->data, (size_t)count);
    if (fits > 0)
        return (ssize_t)fits;
    hold(ch);
    return -EAGAIN;
}

/* Bytes taken; -EAGAIN: the console has no room; else -errno: the file. */
static ssize_t capture(struct channel *ch)
{
    struct settings s;
    size_t max = CAPTURE_MAX;
    ssize_t taken;

    log_settings(ch->log, &s);
    if (to_console(&s) || to_ring(&s)) {
        taken = look_ahead(ch, &s);
        if (taken <= 0)
            return taken;
        max = (size_t)taken;
    }
    taken = to_file(&s) ? put_in_file(ch, &s, max) : keep_nothing(ch, max, false);
    if (taken > 0 && to_ring(&s))
        ring_put(&ch->ring, ch->log->logs->peek.data, (size_t)taken);
    if (taken > 0 && to_console(&s))
        put_on_console(ch, &s, (size_t)taken);
    return taken;
}

void capture_ready(struct channel *ch)
{
    capture(ch);
}

int capture_drain(struct channel *ch)
{
    for (size_t waiting = fifo_waiting(ch->fifo_fd); waiting > 0;) {
        ssize_t taken = capture(ch);

        if (taken <= 0)
            return (int)taken;
        waiting -= (size_t)taken < waiting ? (size_t)taken : waiting;
    }
    return 0;
}

/* ---- going on ---- */

void capture_resume(struct channel *ch)
{
    list_remove(&ch->in_held);
    list_remove(&ch->in_paused);
    watch(ch, EPOLLIN); /* level-triggered: it is told again at once */
    if (ch->console_dropped > 0 || ch->file_dropped > 0)
        try_later(ch);
}

static void retry(struct channel *ch)
{
    struct settings s;
    int result = 0;

    log_settings(ch->log, &s);
    list_remove(&ch->in_paused);
    if (!list_empty(&ch->in_held)) {
        console_fails(ch, console_fault(&ch->log->logs->console));
        return; /* the console tells when it has room */
    }
    watch(ch, EPOLLIN);
    if (to_file(&s) && ch->file_dropped > 0)
        result = keep_note(ch, &s);
    if (result < 0)
        file_fails(ch, result, &s);
    if (to_console(&s) && !say_on_console(ch, &s)) {
        console_fails(ch, console_fault(&ch->log->logs->console));
        try_later(ch);
    }
}

/* From the head each time: one that is tried may let others go on, which leave the list then. */
void capture_retry(struct logs *logs, int64_t now)
{
    while (!list_empty(&logs->paused)) {
        struct channel *ch = list_entry(logs->paused.next, struct channel, in_paused);

        if (ch->retry_at > now)
            return;
        retry(ch);
    }
}

int64_t capture_next_retry(const struct logs *logs)
{
    if (list_empty(&logs->paused))
        return CLOCK_NEVER;
    return list_entry(logs->paused.next, struct channel, in_paused)->retry_at;
}

/* ---- settings ---- */

static void leave_file(struct channel *ch)
{
    if (ch->file_fd >= 0)
        close(ch->file_fd);
    ch->file_fd = -1;
    ch->file_error = ch->rotate_error = ch->compress_error = 0;
    ch->file_dropped = 0;
    ch->rotate_due = false;
}

static void leave_console(struct channel *ch)
{
    console_leave(ch);
    ch->console_error = 0;
    ch->console_dropped = 0;
}

void capture_apply(struct channel *ch)
{
    struct settings s;

    log_settings(ch->log, &s);
    if (!to_file(&s))
        leave_file(ch);
    if (!to_console(&s))
        leave_console(ch);
    if (to_ring(&s)) {
        ch->plain_since = NEVER_PLAIN;
    } else if (ch->plain_since == NEVER_PLAIN) {
        ring_clear(&ch->ring);
        ch->plain_since = move_captured(ch);
        ch->plain_note = 0;
    }
    age_look(ch, &s);
    if (to_file(&s) && s.compress && s.max_files > 0)
        compress_want(ch);
    trouble_update(ch->log);
    capture_resume(ch);
}
