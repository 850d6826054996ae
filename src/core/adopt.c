/* Instances that the last daemon left: each service goes on in its recorded state, through the same
 * cells of the machine as life does; one that has gone meanwhile says so by the events of any exit.
 * Threads: before the workers start, so turn fields may be set here. */
#include "base/clock.h"
#include "base/log.h"
#include "supervisor_private.h"
#include "turn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long one that should have been ready by now may still take. */
#define READY_GRACE (1 * USEC_PER_SEC)

/* The goal that the last daemon had for a service that runs. */
static enum goal last_goal(const struct service *s)
{
    if (s->was_marked)
        return s->mark.service.goal;
    return s->was_written ? s->written.goal : GOAL_UP;
}

static void can_only_be_stopped(struct service *s, const char *why)
{
    service_lock(s);
    s->refused = true;
    s->stays = false;
    service_unlock(s);
    s->known = false;
    s->config_error = strdup(why);
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
    can_only_be_stopped(s, "its file is gone or refused: it can only be stopped");
    return s;
}

/* Its file makes it a unit now, and processes of it run still. */
static int make_orphan(struct service *s) REQUIRES(registry_lock_class)
{
    struct service_spec *spec = spec_new(s->name);

    if (!spec)
        return -ENOMEM;
    spec->restart = RESTART_NO;
    spec->autostart = false;
    spec_unref(s->latest);
    s->latest = spec_ref(spec);
    spec_unref(s->spec);
    s->spec = spec;
    s->spec_digest = spec_digest(spec);
    s->machine.unit = false;
    s->machine.restart = RESTART_NO;
    s->machine.readiness = spec->readiness;
    can_only_be_stopped(s, "its file makes it a unit, and its processes run still: stop it and "
                           "reload the configuration");
    return 0;
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
        if (m->readiness == READINESS_FD) {
            /* what it told while nobody listened still lies in its FIFO, and is read before */
            due = record->started_mono + s->spec->ready_timeout_us;
            if (due < now + READY_GRACE)
                due = now + READY_GRACE;
        }
        break;
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
    if (!s || (s->machine.unit && make_orphan(s) < 0))
        return error_set(err, -ENOMEM, "take over %s: %m", record->service);
    if (s->generation < record->generation)
        s->generation = record->generation;
    service_lock(s);
    s->mail_generation = record->generation;
    service_unlock(s);
    result = host->processes->ops->adopt(host->processes, s->spec, record, s, &s->instance, err);
    if (result == -ENOENT)
        return 0;
    if (result < 0) /* going on could start a second copy */
        return error_prefix(err, "take over %s", record->service);
    s->running = spec_ref(s->spec);
    s->running_digest = s->mark.spec ? s->mark.spec : s->spec_digest;
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

int boot_adopt(struct supervisor *supervisor, struct error *err) REQUIRES(registry_lock_class)
{
    struct instance_record *records = NULL;
    size_t count = 0;
    int result = process_backend_left(supervisor->host.processes, &records, &count, err);

    for (size_t i = 0; result == 0 && i < count; i++)
        result = adopt(supervisor, &records[i], err);
    free(records);
    return result;
}
