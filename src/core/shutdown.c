/* The end: new requests refused, queues cancelled, services stopped in the reverse order of their
 * dependencies; or everything left to the next daemon.
 * Threads: a thread of its own waits for the last stop. */
#include "shutdown.h"

#include "base/clock.h"
#include "base/log.h"
#include "depend.h"
#include "end.h"
#include "supervisor_private.h"

#include <stdlib.h>

/* After shutdown_timeout everything has got SIGKILL; so long that may take. */
#define FORCED_WAIT (3 * USEC_PER_SEC)

void shutdown_stops_done(struct host *host)
{
    lock_take(&host->stops_lock);
    cond_broadcast(&host->stops_done);
    lock_release(&host->stops_lock);
}

static void close_service(struct service *s)
{
    service_lock(s);
    s->closing = true;
    service_unlock(s);
}

static void push_stop(struct service *s)
{
    struct host *host = s->host;
    struct op *op;
    bool stays;

    service_lock(s);
    stays = s->stays;
    service_unlock(s);
    if (stays || view_of(s).removed)
        return;                             /* a unit that does not end with us, or gone for long */
    atomic_fetch_add(&host->stops_left, 1); /* before it can end */
    op = service_push_automatic(s, ACTION_STOP, ORIGIN_SHUTDOWN);
    if (!op)
        atomic_fetch_sub(&host->stops_left, 1);
    op_unref(op);
}

/* Whether the last stop has ended by until. */
static bool wait_for_stops(struct host *host, int64_t until)
{
    lock_take(&host->stops_lock);
    while (atomic_load(&host->stops_left) > 0)
        if (!cond_wait_until(&host->stops_done, &host->stops_lock, until))
            break;
    lock_release(&host->stops_lock);
    return atomic_load(&host->stops_left) == 0;
}

static void kill_everything(struct host *host, struct service **services, size_t count)
{
    log_error("the shutdown has run out of time: what still runs is killed");
    atomic_store(&host->forced, true);
    for (size_t i = 0; i < count; i++)
        service_post(services[i], MAIL_KILL | MAIL_LOOK);
    if (!wait_for_stops(host, clock_mono_us() + FORCED_WAIT))
        log_error("%d services have not stopped: they are left to the next daemon",
                  atomic_load(&host->stops_left));
}

static void stop_everything(struct supervisor *supervisor)
{
    struct host *host = &supervisor->host;
    struct service **services;
    size_t count;
    int64_t until = clock_mono_us() + atomic_load(&host->shutdown_timeout_us);

    if (registry_all(&supervisor->registry, &services, &count) < 0) {
        log_error("out of memory: the services are left to the next daemon");
        return;
    }
    for (size_t i = 0; i < count; i++)
        close_service(services[i]);
    for (size_t i = 0; i < count; i++)
        op_cancel_all(services[i], "the daemon is shutting down");
    for (size_t i = 0; i < count; i++) {
        service_post(services[i], MAIL_GIVE_UP);
        push_stop(services[i]);
    }
    if (!wait_for_stops(host, until))
        kill_everything(host, services, count);
    free(services);
}

static void *close_down(void *argument)
{
    struct supervisor *supervisor = argument;

    if (!atomic_load(&supervisor->leave))
        stop_everything(supervisor);
    supervisor->closed(supervisor->closed_context);
    return NULL;
}

void supervisor_shutdown(struct supervisor *supervisor, bool leave, void (*closed)(void *context),
                         void *context)
{
    if (atomic_exchange(&supervisor->shutting_down, true))
        return;
    log_info(leave ? "the daemon ends; services are left running"
                   : "the daemon ends; services are stopped");
    atomic_store(&supervisor->leave, leave);
    atomic_store(&supervisor->host.closing, true);
    events_add(&supervisor->host.events, EVENT_KIND_DAEMON, NULL,
               leave ? ",\"state\":\"leaving\"" : ",\"state\":\"stopping\"");
    events_flush(&supervisor->host.events);
    supervisor->closed = closed;
    supervisor->closed_context = context;
    supervisor->closer_started =
        thread_start(&supervisor->closer, "closer", close_down, supervisor) == 0;
    if (!supervisor->closer_started)
        close_down(supervisor); /* without threads: here, and whoever asked waits */
}
