/* What the machine asks for, done through the backend and the watcher.
 * Threads: the turn's. */
#include "base/clock.h"
#include "base/log.h"
#include "host.h"
#include "turn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void set_start_error(struct service *s, const char *text)
{
    free(s->start_error);
    s->start_error = text ? strdup(text) : NULL;
}

static struct launch launch_of(const struct service *s)
{
    return (struct launch){
        .spec = s->spec,
        .generation = s->generation,
        .fifo = log_fifo(s->log, STREAM_STDOUT),
        .error_fifo = log_fifo(s->log, STREAM_STDERR),
    };
}

void act_prepare(struct service *s)
{
    struct backend *backend = s->host->processes;
    struct launch launch;

    if (s->machine.unit || s->standby || !s->log)
        return;
    launch = launch_of(s);
    launch.generation = s->generation + 1;
    if (backend->ops->prepare(backend, &launch, s, &s->standby, NULL) == 0)
        s->standby_spec = spec_ref(s->spec);
}

void act_forget_standby(struct service *s)
{
    if (s->standby)
        s->standby->ops->release(s->standby);
    s->standby = NULL;
    spec_unref(s->standby_spec);
    s->standby_spec = NULL;
}

/* For the generation that has just been counted; NULL: there is none that is still right. */
static struct instance *take_standby(struct service *s)
{
    struct instance *standby = NULL;

    if (s->standby && s->standby_spec == s->spec && s->standby->generation == s->generation) {
        standby = s->standby;
        s->standby = NULL;
    }
    act_forget_standby(s);
    return standby;
}

static bool spawn(struct service *s)
{
    struct host *host = s->host;
    struct error err = {0};
    struct launch launch;

    set_start_error(s, NULL);
    s->generation++;
    service_lock(s);
    s->mail_generation = s->generation;
    service_unlock(s);
    if (log_open_service(host->logs, s->spec, &s->log, &err) < 0)
        goto fail;
    s->log_mark = log_position(s->log);
    launch = launch_of(s);
    launch.prepared = take_standby(s);
    if (host->processes->ops->start(host->processes, &launch, s, &s->instance, &err) < 0)
        goto fail;
    spec_unref(s->running);
    s->running = spec_ref(s->spec);
    s->running_digest = s->spec_digest;
    s->machine.readiness = s->spec->readiness; /* a reload changes it for the next instance */
    return true;
fail:
    set_start_error(s, err.text);
    return false;
}

/* Whether systemd was asked. */
static bool start_unit(struct service *s, bool restart)
{
    struct error err = {0};
    struct launch launch = {.spec = s->spec, .restart = restart};

    set_start_error(s, NULL);
    if (s->log)
        s->log_mark = log_position(s->log);
    if (s->instance && s->instance->ops->start(s->host->units, &launch, s, &s->instance, &err) == 0)
        return true;
    set_start_error(s, s->instance ? err.text : "the unit is not watched");
    return false;
}

bool act_spawn(struct service *s)
{
    return s->machine.unit ? start_unit(s, false) : spawn(s);
}

bool act_restart(struct service *s)
{
    return start_unit(s, true);
}

void act_signal(struct service *s)
{
    struct error err = {0};
    const struct service_spec *spec = s->running ? s->running : s->spec;

    if (s->instance &&
        s->instance->ops->signal(s->instance, spec->stop_signal, REACH_GROUP, &err) < 0) {
        log_warning("%s: stop signal: %s", s->name, err.text);
        if (s->machine.unit && s->machine.op == OP_STOP) {
            set_start_error(s, err.text);
            turn_step(s, (struct machine_event){.kind = EVENT_SPAWN_FAILED});
        }
    }
}

static int reload(struct service *s, const struct operation *r, bool *ret_goes_on,
                  struct error *err)
{
    const struct backend_ops *ops = s->instance->ops;
    struct launch launch;
    int result;

    *ret_goes_on = false;
    if (r->action == ACTION_SIGNAL) {
        result = ops->signal(s->instance, r->signal, REACH_MAIN, err);
        *ret_goes_on = s->machine.unit && result == 0;
        return result;
    }
    if (s->machine.unit) {
        launch = (struct launch){.spec = s->spec};
        result = ops->reload(s->instance, &launch, err);
        *ret_goes_on = result == 0;
        return result;
    }
    if (s->spec->reload_signal)
        return ops->signal(s->instance, s->spec->reload_signal, REACH_MAIN, err);
    if (!s->spec->reload_command)
        return error_set(err, -EINVAL, "neither reload_signal nor reload_command is set any more");
    if (!s->log)
        return error_set(err, -EIO, "its output cannot be taken");
    s->reload_mark = log_position(s->log);
    launch = launch_of(s);
    result = ops->reload(s->instance, &launch, err);
    *ret_goes_on = s->reload_runs = result == 0;
    return result;
}

bool act_reload(struct service *s, bool *ret_well)
{
    struct error err = {0};
    struct op *op;
    bool goes_on;

    service_lock(s);
    op = s->active;
    service_unlock(s);
    free(s->reload_error);
    s->reload_error = NULL;
    s->reload_exit = (struct exit_cause){0};
    *ret_well = reload(s, &op->record, &goes_on, &err) == 0;
    if (!*ret_well)
        s->reload_error = strdup(err.text);
    return goes_on;
}

void act_kill_reload(struct service *s)
{
    struct error err = {0};

    if (s->instance && (s->reload_runs || s->machine.unit) &&
        s->instance->ops->signal(s->instance, SIGKILL, REACH_RELOAD, &err) < 0)
        log_warning("%s: kill the reload command: %s", s->name, err.text);
}

void act_kill(struct service *s)
{
    struct error err = {0};

    if (s->machine.unit && s->machine.op != OP_STOP)
        return; /* it does not end with us */
    if (s->machine.stuck)
        log_error("%s: pid %d has survived SIGKILL; only a stop can be asked until it is gone",
                  s->name, s->instance ? (int)s->instance->pid : 0);
    if (s->instance && s->instance->ops->signal(s->instance, SIGKILL, REACH_TREE, &err) < 0)
        log_warning("%s: kill: %s", s->name, err.text);
}

/* first * 2^n, at most max; up to a tenth less, so that many do not come back at once. */
static int64_t backoff_delay(const struct service *s)
{
    const struct service_spec *spec = s->spec;
    int64_t delay = spec->first_delay_us;
    uint32_t random;

    for (int64_t n = 1; n < s->machine.attempt && delay < spec->max_delay_us; n++)
        delay *= 2;
    if (delay > spec->max_delay_us)
        delay = spec->max_delay_us;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = 0;
    return delay - (int64_t)((double)delay * 0.1 * random / UINT32_MAX);
}

static void set_state_deadline(struct service *s, int64_t delay_us)
{
    s->state_due = clock_mono_us() + delay_us;
    watcher_set(s->host->watcher, &s->state_deadline, s->state_due);
}

/* How long SIGKILL may take before the service is called stuck, and how often to look again. */
#define KILL_CHECK (2 * USEC_PER_SEC)

void act_state_deadline(struct service *s, enum state_deadline deadline)
{
    const struct service_spec *running = s->running ? s->running : s->spec;
    int64_t delay;

    switch (deadline) {
    case DEADLINE_KEEP: return;
    case DEADLINE_CLEAR:
        if (s->state_due)
            watcher_clear(s->host->watcher, &s->state_deadline);
        s->state_due = 0;
        return;
    case DEADLINE_READY_DELAY: set_state_deadline(s, running->ready_delay_us); return;
    case DEADLINE_READY_TIMEOUT: set_state_deadline(s, running->ready_timeout_us); return;
    case DEADLINE_STOP: set_state_deadline(s, s->spec->stop_timeout_us); return;
    case DEADLINE_KILL: set_state_deadline(s, KILL_CHECK); return;
    case DEADLINE_STABLE: set_state_deadline(s, s->spec->stable_after_us); return;
    case DEADLINE_BACKOFF:
        delay = backoff_delay(s);
        s->next_attempt_utc = clock_utc_us() + delay;
        set_state_deadline(s, delay);
        if (delay == 0) /* now, and not by way of the watcher */
            turn_step(s, (struct machine_event){.kind = EVENT_STATE_DEADLINE});
        return;
    }
}

void act_operation_deadline(struct service *s, int64_t due_mono)
{
    if (due_mono)
        watcher_set(s->host->watcher, &s->operation_deadline, due_mono);
    else if (s->operation_due)
        watcher_clear(s->host->watcher, &s->operation_deadline);
    s->operation_due = due_mono;
}
