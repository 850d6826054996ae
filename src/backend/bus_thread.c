#include "bus_thread.h"

#include "base/clock.h"
#include "bus_connection.h"
#include "unit_job.h"
#include "unit_watch.h"

#include <poll.h>
#include <sys/eventfd.h>

/* ---- mail ---- */

static bool take_mail(struct systemd_backend *b, struct unit **ret_unit, struct unit_mail *ret_mail)
{
    struct unit *u = NULL;

    mail_lock(b);
    if (!list_empty(&b->inbox)) {
        u = list_entry(b->inbox.next, struct unit, mail.link);
        list_remove(&u->mail.link);
        *ret_mail = u->mail;
        u->mail.forget = u->mail.kill_before = u->mail.kill_after = u->mail.ordered = false;
    }
    mail_unlock(b);
    *ret_unit = u;
    return u;
}

static void obey(struct unit *u, const struct unit_mail *mail)
{
    if (!u->known)
        unit_join(u);
    u->timeout_us = mail->timeout_us;
    if (mail->forget)
        job_forget(u);
    if (mail->kill_before)
        job_kill(u);
    if (mail->ordered)
        job_begin(u, &mail->order);
    if (mail->kill_after)
        job_kill(u);
    if (mail->released)
        unit_leave(u);
}

static void read_mail(struct systemd_backend *b)
{
    struct unit_mail mail;
    struct unit *u;
    eventfd_t count;

    eventfd_read(b->wake, &count);
    while (take_mail(b, &u, &mail))
        obey(u, &mail);
}

void tell_unit(struct unit *u, const struct backend_event *event)
{
    struct systemd_backend *b = u->backend;

    mail_lock(b);
    if (u->mail.released) {
        mail_unlock(b);
        return;
    }
    b->telling = u;
    mail_unlock(b);
    b->listener(u->owner, event);
    mail_lock(b);
    b->telling = NULL;
    if (b->waiters)
        cond_broadcast(&b->told);
    mail_unlock(b);
}

/* ---- the loop ---- */

static bool stopping(struct systemd_backend *b)
{
    bool result;

    mail_lock(b);
    result = b->stopping;
    mail_unlock(b);
    return result;
}

/* For ppoll(2); NULL: for ever. */
static const struct timespec *wait_time(int64_t until, struct timespec *left)
{
    int64_t us = until - clock_mono_us();

    if (until == CLOCK_NEVER)
        return NULL;
    if (us < 0)
        us = 0;
    *left = (struct timespec){us / USEC_PER_SEC, us % USEC_PER_SEC * 1000};
    return left;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What the connection waits for; its own time limits are on the monotonic clock, too. */
static int64_t watch(struct bus *bus, struct pollfd *ret_poll)
{
    uint64_t limit = UINT64_MAX;
    int events;

    *ret_poll = (struct pollfd){.fd = -1};
    if (!bus->connection)
        return CLOCK_NEVER;
    events = sd_bus_get_events(bus->connection);
    if (events < 0)
        return 0; /* it is gone: bus_process() will find that out */
    *ret_poll = (struct pollfd){.fd = sd_bus_get_fd(bus->connection), .events = (short)events};
    if (sd_bus_get_timeout(bus->connection, &limit) < 0 || limit > INT64_MAX)
        return CLOCK_NEVER;
    return (int64_t)limit;
}

static void wait_for_something(struct systemd_backend *b, bool more)
{
    struct pollfd polls[BUSES + 1] = {{.fd = b->wake, .events = POLLIN}};
    int64_t until = more ? 0 : CLOCK_NEVER;
    struct timespec left;

    for (int i = 0; i < BUSES; i++) {
        until = earlier(until, watch(&b->buses[i], &polls[i + 1]));
        until = earlier(until, bus_next_time(&b->buses[i]));
    }
    ppoll(polls, BUSES + 1, wait_time(until, &left), NULL);
}

static void *run(void *argument)
{
    struct systemd_backend *b = argument;

    for (;;) {
        bool more = false;

        read_mail(b); /* first: it takes the wake-up that came with the stop as well */
        if (stopping(b))
            break;
        for (int i = 0; i < BUSES; i++) {
            more |= bus_process(&b->buses[i]);
            bus_pass_time(&b->buses[i], clock_mono_us());
        }
        wait_for_something(b, more);
    }
    read_mail(b); /* what has been released since */
    for (int i = 0; i < BUSES; i++)
        bus_close(&b->buses[i]);
    return NULL;
}

int bus_thread_start(struct systemd_backend *b)
{
    int r = thread_start(&b->thread, "bus", run, b);

    b->running = r == 0;
    return r;
}
