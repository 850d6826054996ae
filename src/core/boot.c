/* The daemon's first moments: services from their files, what the journal and the marks know of
 * them, instances (adopt.c) and operations (requeue.c) from the last daemon; then what is to run is
 * begun.
 * Threads: before the workers start, so turn fields may be set here. */
#include "boot.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "depend.h"
#include "end.h"
#include "supervisor_private.h"
#include "turn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* After a daemon that was killed: numbers that were given, and perhaps shown, without the journal.
 */
#define NUMBER_GAP 10000

/* What a daemon that was killed had told and not written is at most so much. */
#define EVENT_GAP 1000000

struct service *boot_add_service(struct supervisor *supervisor, struct service_spec *spec)
    REQUIRES(registry_lock_class)
{
    struct service *s = service_new(&supervisor->host, spec);

    if (s)
        registry_add(&supervisor->registry, s);
    return s;
}

static void take_record(struct supervisor *supervisor, const struct service_record *record)
    REQUIRES(registry_lock_class)
{
    struct service *s = registry_get(&supervisor->registry, record->name);

    if (!s)
        return;
    s->generation = record->standing.generation;
    s->restarts = record->standing.restarts;
    s->written = record->standing;
    s->was_written = true;
    if (supervisor->host.config->resume)
        s->machine.goal = record->standing.goal;
}

/* Where it differs from the journal, which may have been out of reach, the mark is newer. */
static int take_mark(struct supervisor *supervisor, const struct mark_left *left)
    REQUIRES(registry_lock_class)
{
    struct service *s = registry_get(&supervisor->registry, left->service);
    const struct mark *mark = &left->mark;

    if (!s || s->was_marked) /* of several, in a spoilt file, the first has the place */
        return 0;
    s->mark = *mark;
    s->was_marked = true;
    if (left->ends[0].first && !service_ends(s))
        return -ENOMEM;
    if (s->mark.ends)
        memcpy(s->mark.ends, left->ends, sizeof left->ends);
    s->invocation = mark->invocation;
    if (s->generation < mark->service.generation)
        s->generation = mark->service.generation;
    if (s->restarts < mark->service.restarts)
        s->restarts = mark->service.restarts;
    if (supervisor->host.config->resume)
        s->machine.goal = mark->service.goal;
    return 0;
}

static int take_marks(struct supervisor *supervisor, struct error *err)
    REQUIRES(registry_lock_class)
{
    CLEANUP(freep) struct mark_left *left = NULL;
    size_t count = 0;
    int result = marks_left(supervisor->host.marks, &left, &count, err);
    struct host *host = &supervisor->host;

    for (size_t i = 0; result == 0 && i < count; i++) {
        int64_t last = left[i].mark.begun.last;

        if (take_mark(supervisor, &left[i]) < 0)
            result = error_set(err, -ENOMEM, "take over %s: %m", left[i].service);
        if (last >= atomic_load(&host->next_id)) /* the journal had not been told */
            atomic_store(&host->next_id, last + 1);
    }
    if (supervisor->unclean)
        atomic_fetch_add(&host->next_id, NUMBER_GAP);
    return result;
}

static void set_initial_goal(struct service *s, void *context)
{
    (void)context;
    if (s->spec->autostart)
        s->machine.goal = GOAL_UP;
}

/* How long units may take to be seen before the daemon is ready: a status that says "stopped" of
 * all of them would be wrong. */
#define UNITS_WAIT (2 * USEC_PER_SEC)

void boot_unit_seen(struct host *host)
{
    lock_take(&host->stops_lock);
    if (atomic_fetch_sub(&host->units_unseen, 1) == 1)
        cond_broadcast(&host->stops_done);
    lock_release(&host->stops_lock);
}

void boot_wait_units(struct host *host)
{
    int64_t until = clock_mono_us() + UNITS_WAIT;

    lock_take(&host->stops_lock);
    while (atomic_load(&host->units_unseen) > 0)
        if (!cond_wait_until(&host->stops_done, &host->stops_lock, until))
            break;
    lock_release(&host->stops_lock);
}

/* What is to run is begun; and everything can be seen from the first moment on. A unit is not
 * started because it ran when the last daemon ended. */
static void queue_start(struct service *s)
{
    bool wanted = s->machine.goal == GOAL_UP && (!s->machine.unit || s->spec->autostart);

    if (s->machine.unit) {
        s->counts_as_unseen = true;
        atomic_fetch_add(&s->host->units_unseen, 1);
    }
    if (wanted && !s->instance && s->known)
        op_unref(service_push_automatic(s, ACTION_START, ORIGIN_BOOT));
}

/* First all operations, then all that stays: or each would leave a hole when it has ended. */
static int begin_services(struct supervisor *supervisor, struct error *err)
{
    struct service **services;
    size_t count;

    if (registry_all(&supervisor->registry, &services, &count) < 0)
        return error_set(err, -ENOMEM, "begin: %m");
    for (size_t i = 0; i < count; i++)
        queue_start(services[i]);
    for (size_t i = 0; i < count; i++) {
        publish(services[i]);
        service_post(services[i], MAIL_LOOK);
    }
    free(services);
    return 0;
}

int boot_refuse_impossible(struct supervisor *supervisor, struct service_set *set,
                           struct problems *problems)
{
    char text[256];

    for (size_t i = set->count; i > 0; i--) {
        const struct service_spec *spec = set->specs[i - 1];
        char *why;

        if (spec_is_unit(spec)) {
            if (!systemd_backend_can_drive(spec, text) &&
                service_set_refuse(set, i - 1, "unit", text, problems) < 0)
                return -ENOMEM;
            continue;
        }
        if (process_backend_can_limit(supervisor->host.processes, spec, text))
            continue;
        why = strchr(text, ':'); /* "memory: the controller ..." */
        if (why)
            *why++ = '\0';
        if (service_set_refuse(set, i - 1, why ? text : "limits", why ? why + 1 : text, problems) <
            0)
            return -ENOMEM;
    }
    return 0;
}

static int add_services(struct supervisor *supervisor, struct service_set *set, struct error *err)
    REQUIRES(registry_lock_class)
{
    if (boot_refuse_impossible(supervisor, set, &supervisor->registry.problems) < 0)
        return error_set(err, -ENOMEM, "check limits: %m");
    for (size_t i = 0; i < set->count; i++)
        if (!boot_add_service(supervisor, set->specs[i]))
            return error_set(err, -ENOMEM, "service %s: %m", set->specs[i]->name);
    supervisor->registry.refused = set->refused;
    supervisor->registry.refused_count = set->refused_count;
    set->refused = NULL;
    set->refused_count = 0;
    return 0;
}

/* Until it is seen a unit is shown as it was last: it did not end with the daemon. */
static void keep_state(struct service *s, void *context)
{
    const struct service_standing *last = s->was_marked ? &s->mark.service : &s->written;

    (void)context;
    if (s->machine.unit && (s->was_marked || s->was_written) &&
        (last->state == STATE_RUNNING || last->state == STATE_FAILED))
        s->machine.state = last->state;
}

static int load_services(struct supervisor *supervisor, struct service_set *set,
                         const struct journal_boot *boot, struct error *err)
    REQUIRES(registry_lock_class)
{
    struct registry *registry = &supervisor->registry;
    int result = add_services(supervisor, set, err);

    registry_each(registry, set_initial_goal, NULL);
    for (size_t i = 0; result == 0 && i < boot->service_count; i++)
        take_record(supervisor, &boot->services[i]);
    if (result == 0)
        result = take_marks(supervisor, err);
    registry_each(registry, keep_state, NULL);
    if (result == 0)
        result = boot_adopt(supervisor, err);
    if (result == 0 && registry_link(registry) < 0)
        result = error_set(err, -ENOMEM, "link services: %m");
    return result;
}

int boot_services(struct supervisor *supervisor, struct service_set *set, struct error *err)
{
    struct registry *registry = &supervisor->registry;
    struct journal_boot boot = {0};
    int result = journal_load(supervisor->host.journal, &boot, err);

    if (result < 0)
        return result;
    atomic_store(&supervisor->host.next_id, boot.next_operation_id);
    events_begin(&supervisor->host.events, supervisor->host.journal, boot.last_event + EVENT_GAP);
    events_add(&supervisor->host.events, EVENT_KIND_DAEMON, NULL, ",\"state\":\"started\"");
    registry_lock(registry);
    result = load_services(supervisor, set, &boot, err);
    registry_unlock(registry);
    for (size_t i = 0; result == 0 && i < boot.operation_count; i++)
        boot_requeue(supervisor, &boot.operations[i]);
    if (result == 0)
        result = begin_services(supervisor, err);
    events_flush(&supervisor->host.events);
    journal_boot_deinit(&boot);
    return result;
}
