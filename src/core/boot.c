/* The daemon's first moments: services from their files, instances and operations from the last
 * daemon; then what is to run is begun. Recovery goes through the machine's cells as life does: an
 * instance that has gone meanwhile says so by the events of any exit.
 * Threads: before the workers start, so turn fields may be set here. */
#include "base/clock.h"
#include "base/log.h"
#include "depend.h"
#include "end.h"
#include "supervisor_private.h"
#include "turn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What was accepted without the journal and had not begun may have been seen. */
#define NUMBER_GAP 1000

/* What a daemon that was killed had told and not written is at most so much. */
#define EVENT_GAP 1000000

struct service *boot_add_service(struct supervisor *supervisor, struct service_spec *spec)
    REQUIRES(registry_lock_class)
{
    struct service *s = service_new(&supervisor->host, spec);
    struct error err = {0};

    if (!s)
        return NULL;
    s->mark_place = marks_place(supervisor->host.marks, s->name, &err);
    if (!s->mark_place)
        log_warning("%s: how far it has come is not marked: %s", s->name, err.text);
    registry_add(&supervisor->registry, s);
    return s;
}

static void take_record(struct supervisor *supervisor, const struct service_record *record)
    REQUIRES(registry_lock_class)
{
    struct service *s = registry_get(&supervisor->registry, record->name);

    if (!s)
        return;
    s->generation = record->generation;
    s->restarts = record->restarts;
    s->written = *record;
    if (supervisor->host.config->resume)
        s->machine.goal = record->goal;
}

/* Where it differs from the journal, which may have been out of reach, the mark is newer. */
static void take_mark(struct supervisor *supervisor, const struct mark *mark)
    REQUIRES(registry_lock_class)
{
    struct service *s = registry_get(&supervisor->registry, mark->service.name);

    if (!s)
        return;
    s->mark = *mark;
    if (s->generation < mark->service.generation)
        s->generation = mark->service.generation;
    if (s->restarts < mark->service.restarts)
        s->restarts = mark->service.restarts;
    if (supervisor->host.config->resume)
        s->machine.goal = mark->service.goal;
}

static int take_marks(struct supervisor *supervisor, struct error *err)
    REQUIRES(registry_lock_class)
{
    struct mark *marks = NULL;
    size_t count = 0;
    int result = marks_left(supervisor->host.marks, &marks, &count, err);
    struct host *host = &supervisor->host;

    for (size_t i = 0; result == 0 && i < count; i++) {
        int64_t last = marks[i].begun > marks[i].ended ? marks[i].begun : marks[i].ended;

        take_mark(supervisor, &marks[i]);
        if (last >= atomic_load(&host->next_id)) /* the journal had not been told */
            atomic_store(&host->next_id, last + NUMBER_GAP);
    }
    free(marks);
    return result;
}

/* The goal that the last daemon had for a service that runs. */
static enum goal last_goal(const struct service *s)
{
    if (s->mark.service.name[0])
        return s->mark.service.goal;
    return s->written.name[0] ? s->written.goal : GOAL_UP;
}

/* What is known of a service whose file is gone or refused, while an instance of it lives: enough
 * to stop it. */
static struct service *add_orphan(struct supervisor *supervisor, const char *name)
    REQUIRES(registry_lock_class)
{
    struct service_spec *spec = spec_new(name);
    struct service *s = NULL;

    if (spec) {
        spec->restart = RESTART_NO;
        spec->autostart = false;
        s = boot_add_service(supervisor, spec);
    }
    spec_unref(spec);
    if (!s)
        return NULL;
    service_lock(s);
    s->refused = true;
    service_unlock(s);
    s->known = false;
    s->config_error = strdup("its file is gone or refused: it can only be stopped");
    return s;
}

/* The machine as it was when the last daemon wrote the instance down. */
static void recorded_state(struct service *s, const struct instance_record *record)
{
    struct machine *m = &s->machine;
    int64_t now = clock_mono_us(), due = 0;

    m->tree = m->main = m->started = true;
    if (record->started_mono > 0 && record->started_mono <= now) /* it has not begun anew */
        s->state_since_utc -= now - record->started_mono;
    m->after = AFTER_ENDED;
    switch (record->phase) {
    case PHASE_STARTING:
        m->state = m->readiness == READINESS_IMMEDIATE ? STATE_RUNNING : STATE_STARTING;
        if (m->readiness == READINESS_DELAY)
            due = record->started_mono + s->spec->ready_delay_us;
        break; /* by descriptor: never killed for what it may have told while nobody listened */
    case PHASE_RUNNING: m->state = STATE_RUNNING; break;
    case PHASE_STOPPING:
        m->state = STATE_STOPPING;
        due = now + s->spec->stop_timeout_us;
        break;
    }
    if (due == 0)
        return;
    s->state_due = due < now ? now : due;
    watcher_set(s->host->watcher, &s->state_deadline, s->state_due);
}

static int adopt(struct supervisor *supervisor, const struct instance_record *record,
                 struct error *err) REQUIRES(registry_lock_class)
{
    struct host *host = &supervisor->host;
    struct service *s = registry_get(&supervisor->registry, record->service);
    int result;

    if (!s)
        s = add_orphan(supervisor, record->service);
    if (!s)
        return error_set(err, -ENOMEM, "take over %s: %m", record->service);
    if (s->generation < record->generation)
        s->generation = record->generation;
    service_lock(s);
    s->mail_generation = record->generation;
    service_unlock(s);
    result = host->backend_ops->adopt(host->backend, s->spec, record, s, &s->instance, err);
    if (result == -ENOENT)
        return 0;
    if (result < 0) /* going on could start a second copy */
        return error_prefix(err, "take over %s", record->service);
    s->running = spec_ref(s->spec);
    s->running_digest = s->mark.spec ? s->mark.spec : spec_digest(s->spec);
    s->machine.goal = last_goal(s);
    recorded_state(s, record);
    if (record->phase == PHASE_STOPPING)
        act_signal(s); /* the last daemon may have been killed just before it */
    if (log_open_service(host->logs, s->spec, &s->log, err) < 0) {
        log_warning("%s: its output is not taken: %s", s->name, err->text);
        s->log = NULL;
    } else {
        s->log_mark = log_position(s->log);
    }
    log_info("%s: pid %d of generation %lld is taken over", s->name, (int)s->instance->pid,
             (long long)record->generation);
    return 0;
}

static int adopt_all(struct supervisor *supervisor, struct error *err) REQUIRES(registry_lock_class)
{
    struct instance_record *records = NULL;
    size_t count = 0;
    int result = process_backend_left(supervisor->host.backend, &records, &count, err);

    for (size_t i = 0; result == 0 && i < count; i++)
        result = adopt(supervisor, &records[i], err);
    free(records);
    return result;
}

static void end_lost(struct supervisor *supervisor, struct operation *operation,
                     enum operation_state state, const char *detail)
{
    struct journal_entry entry = {.operation = operation, .essential = true};

    operation->state = state;
    operation->finished_utc = clock_utc_us();
    free(operation->detail);
    operation->detail = strdup(detail);
    log_warning("%s: %s %lld %s: %s", operation->service, action_name(operation->action),
                (long long)operation->id, operation_state_name(state), detail);
    if (journal_submit(supervisor->host.journal, &entry, 1) < 0)
        log_error("operation %lld: out of memory", (long long)operation->id);
}

static void interrupt(struct supervisor *supervisor, struct operation *operation,
                      const char *detail)
{
    end_lost(supervisor, operation, OPERATION_INTERRUPTED, detail);
}

/* What ended while the journal could not take it down is not done again. */
static bool had_ended(struct supervisor *supervisor, const struct service *s,
                      struct operation *operation)
{
    if (operation->id > s->mark.ended)
        return false;
    end_lost(supervisor, operation,
             operation->id == s->mark.ended ? s->mark.end : OPERATION_INTERRUPTED,
             operation->id == s->mark.ended
                 ? "it ended so just before the daemon did"
                 : "it had ended, how was lost with the daemon: the journal could not be written");
    return true;
}

/* Back into the queue, in the order in which they were accepted; what had begun goes on. */
static void requeue(struct supervisor *supervisor, struct operation *operation)
{
    struct service *s = registry_find(&supervisor->registry, operation->service);
    struct op *op;

    if (operation->origin != ORIGIN_API) {
        interrupt(supervisor, operation, "the daemon was started anew and decides again");
        return;
    }
    if (!s) {
        interrupt(supervisor, operation, "the service is no longer there");
        return;
    }
    if (!s->known && operation->action != ACTION_STOP) {
        interrupt(supervisor, operation, "the service's file is gone or refused");
        return;
    }
    if (had_ended(supervisor, s, operation))
        return;
    if (operation->started_mono > 0 &&
        (operation->action == ACTION_RELOAD || operation->action == ACTION_SIGNAL)) {
        interrupt(supervisor, operation,
                  "the daemon ended meanwhile: whether it was done is not known");
        return;
    }
    op = op_new(s, s->name, operation->action, operation->origin, operation->requested_by,
                operation->timeout_us);
    if (!op || operation_copy(&op->record, operation) < 0) {
        interrupt(supervisor, operation, "out of memory");
        op_unref(op);
        return;
    }
    op->committed = true;
    op->resumed = operation->state == OPERATION_RUNNING && operation->started_mono > 0;
    op->record.state = OPERATION_QUEUED;
    service_requeue(s, op);
    op_index_add(&supervisor->host.operations, op);
    atomic_fetch_add(&supervisor->host.people_waiting, 1);
    op_unref(op);
}

static void set_initial_goal(struct service *s, void *context)
{
    (void)context;
    if (s->spec->autostart)
        s->machine.goal = GOAL_UP;
}

/* What is to run is begun; and everything can be seen from the first moment on. */
static void begin_service(struct service *s)
{
    if (s->machine.goal == GOAL_UP && !s->instance && s->known)
        op_unref(service_push_automatic(s, ACTION_START, ORIGIN_BOOT));
    publish(s);
    service_post(s, MAIL_LOOK);
}

static int begin_services(struct supervisor *supervisor, struct error *err)
{
    struct service **services;
    size_t count;

    if (registry_all(&supervisor->registry, &services, &count) < 0)
        return error_set(err, -ENOMEM, "begin: %m");
    for (size_t i = 0; i < count; i++)
        begin_service(services[i]);
    free(services);
    return 0;
}

int boot_refuse_limits(struct supervisor *supervisor, struct service_set *set,
                       struct problems *problems)
{
    char text[256];

    for (size_t i = set->count; i > 0; i--) {
        char *why;

        if (process_backend_can_limit(supervisor->host.backend, set->specs[i - 1], text))
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
    if (boot_refuse_limits(supervisor, set, &supervisor->registry.problems) < 0)
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
    if (result == 0)
        result = adopt_all(supervisor, err);
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
        requeue(supervisor, &boot.operations[i]);
    if (result == 0)
        result = begin_services(supervisor, err);
    events_flush(&supervisor->host.events);
    journal_boot_deinit(&boot);
    return result;
}
