#include "notify.h"

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define STATUS_EVERY USEC_PER_SEC
#define STATUS_SIZE  256

extern struct lock_class notify_lock_class; /* for the compiler only */

struct notify {
    struct supervisor *supervisor;
    pthread_t thread;
    int64_t beat_every;       /* 0: nobody watches */
    int64_t beat_at;          /* thread */
    int64_t status_at;        /* thread: not before this time again */
    char status[STATUS_SIZE]; /* thread: the last one told */

    atomic_int reloads; /* under way */

    struct lock lock;
    struct cond changed;
    bool news GUARDED_BY(notify_lock_class);  /* there may be another status to tell */
    bool waits GUARDED_BY(notify_lock_class); /* for a change: told() will be called */
    bool ending GUARDED_BY(notify_lock_class);
};

static void notify_lock(struct notify *n) ACQUIRE(notify_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&n->lock);
}

static void notify_unlock(struct notify *n) RELEASE(notify_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&n->lock);
}

/* ---- the status ---- */

/* In the order in which they are told. */
static const enum service_state order[] = {STATE_RUNNING, STATE_STARTING, STATE_STOPPING,
                                           STATE_BACKOFF, STATE_FAILED,   STATE_STOPPED};
#define STATES (sizeof order / sizeof order[0])

struct counts {
    size_t all, in[STATES];
};

static void count_service(void *context, const struct service_status *status, uint64_t changed)
{
    struct counts *counts = context;

    (void)changed;
    counts->all++;
    for (size_t i = 0; i < STATES; i++)
        counts->in[i] += order[i] == status->state;
}

/* "7 services: 5 running, 1 failed, 1 stopped" */
static void format(const struct counts *counts, char text[static STATUS_SIZE])
{
    int len = snprintf(text, STATUS_SIZE, "STATUS=%zu service%s", counts->all,
                       counts->all == 1 ? "" : "s");
    const char *before = ": ";

    for (size_t i = 0; i < STATES; i++) {
        if (counts->in[i] == 0)
            continue;
        len += snprintf(text + len, STATUS_SIZE - (size_t)len, "%s%zu %s", before, counts->in[i],
                        service_state_name(order[i]));
        before = ", ";
    }
}

/* Something has changed, or the waits are at their end. */
static void told(void *context)
{
    struct notify *n = context;

    notify_lock(n);
    n->news = true;
    n->waits = false;
    cond_broadcast(&n->changed);
    notify_unlock(n);
}

static void wait_for_news(struct notify *n, uint64_t since)
{
    notify_lock(n);
    n->waits = true;
    notify_unlock(n);
    supervisor_wait_status(n->supervisor, since, CLOCK_NEVER, told, n);
}

static void tell_status(struct notify *n)
{
    struct counts counts = {0};
    struct status_visitor visitor = {.service = count_service, .context = &counts};
    struct revision revision;
    char text[STATUS_SIZE];

    supervisor_read_status(n->supervisor, 0, &visitor, &revision);
    format(&counts, text);
    if (strcmp(text, n->status) != 0)
        sd_notify(0, text);
    strcpy(n->status, text);
    n->status_at = clock_mono_us() + STATUS_EVERY;
    wait_for_news(n, revision.number);
}

/* ---- the heartbeat ---- */

/* Only while the daemon does its work: a thread that can still send is no proof. */
static void beat(struct notify *n)
{
    n->beat_at = clock_mono_us() + n->beat_every;
    if (supervisor_alive(n->supervisor))
        sd_notify(0, "WATCHDOG=1");
    else
        log_error("nobody in this daemon is at work: the watchdog is not told to wait");
}

/* ---- the thread ---- */

static int64_t next_at(struct notify *n) REQUIRES(notify_lock_class)
{
    int64_t next = n->beat_every ? n->beat_at : CLOCK_NEVER;

    return n->news && n->status_at < next ? n->status_at : next;
}

/* Whether there is something to do; false: it ends. */
static bool sleep_until_due(struct notify *n, bool *ret_status)
{
    bool ending;

    notify_lock(n);
    while (!n->ending && next_at(n) > clock_mono_us()) {
        if (next_at(n) == CLOCK_NEVER)
            cond_wait(&n->changed, &n->lock);
        else
            cond_wait_until(&n->changed, &n->lock, next_at(n));
    }
    ending = n->ending;
    *ret_status = n->news && n->status_at <= clock_mono_us();
    if (*ret_status)
        n->news = false;
    notify_unlock(n);
    return !ending;
}

static void *run(void *argument)
{
    struct notify *n = argument;
    bool status;

    while (sleep_until_due(n, &status)) {
        if (status)
            tell_status(n);
        if (n->beat_every && n->beat_at <= clock_mono_us())
            beat(n);
    }
    return NULL;
}

int notify_new(struct supervisor *supervisor, struct notify **ret_notify,
               struct error *err) NO_THREAD_SAFETY_CHECK
{
    struct notify *n;
    uint64_t watchdog_us = 0;
    int r;

    *ret_notify = NULL;
    if (!getenv("NOTIFY_SOCKET"))
        return 0;
    n = calloc(1, sizeof *n);
    if (!n)
        return error_set(err, -ENOMEM, "talk to the service manager: %m");
    n->supervisor = supervisor;
    if (sd_watchdog_enabled(0, &watchdog_us) > 0)
        n->beat_every = (int64_t)(watchdog_us / 2);
    n->news = true;
    lock_init(&n->lock, LOCK_NOTIFY);
    cond_init(&n->changed);
    r = thread_start(&n->thread, "notify", run, n);
    if (r < 0) {
        cond_deinit(&n->changed);
        lock_deinit(&n->lock);
        free(n);
        return error_set(err, r, "start the thread that talks to the service manager: %m");
    }
    *ret_notify = n;
    return 0;
}

static void end_waits(struct notify *n)
{
    notify_lock(n);
    while (n->waits)
        cond_wait(&n->changed, &n->lock);
    notify_unlock(n);
}

void notify_free(struct notify *n)
{
    if (!n)
        return;
    notify_lock(n);
    n->ending = true;
    cond_broadcast(&n->changed);
    notify_unlock(n);
    pthread_join(n->thread, NULL);
    end_waits(n);
    cond_deinit(&n->changed);
    lock_deinit(&n->lock);
    free(n);
}

/* ---- what others tell ---- */

void notify_ready(struct notify *n)
{
    if (n)
        sd_notify(0, "READY=1");
}

/* The last word is READY whatever comes between: each RELOADING has one of its own behind it. */
void notify_reloading(struct notify *n, bool begun)
{
    if (!n)
        return;
    if (begun && atomic_fetch_add(&n->reloads, 1) == 0)
        sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_us());
    else if (!begun && atomic_fetch_sub(&n->reloads, 1) == 1)
        sd_notify(0, "READY=1");
}

void notify_stopping(struct notify *n, int64_t within_us)
{
    if (n)
        sd_notifyf(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRId64, within_us);
}
