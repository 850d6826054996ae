/* What the machine asks for, done through the backend and the watcher.
 * Threads: the turn's. */
#include "base/clock.h"
#include "base/log.h"
#include "host.h"
#include "turn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void set_start_error(struct service *s, const char *text)
{
    free(s->start_error);
    s->start_error = text ? strdup(text) : NULL;
}

bool act_spawn(struct service *s)
{
    struct host *host = s->host;
    struct error err = {0};

    set_start_error(s, NULL);
    s->generation++;
    service_lock(s);
    s->mail_generation = s->generation;
    service_unlock(s);
    if (log_open_service(host->logs, s->spec, &s->log, &err) < 0)
        goto fail;
    s->log_mark = log_position(s->log);
    if (host->backend_ops->start(host->backend, s->spec, s->generation, log_fifo(s->log), s,
                                 &s->instance, &err) < 0)
        goto fail;
    spec_unref(s->running);
    s->running = spec_ref(s->spec);
    s->machine.readiness = s->spec->readiness; /* a reload changes it for the next instance */
    return true;
fail:
    set_start_error(s, err.text);
    return false;
}

void act_signal(struct service *s)
{
    struct error err = {0};
    const struct service_spec *spec = s->running ? s->running : s->spec;

    if (s->instance && s->instance->ops->signal(s->instance, spec->stop_signal, &err) < 0)
        log_warning("%s: stop signal: %s", s->name, err.text);
}

void act_kill(struct service *s)
{
    struct error err = {0};

    if (s->machine.stuck)
        log_error("%s: pid %d has survived SIGKILL; only a stop can be asked until it is gone",
                  s->name, s->instance ? (int)s->instance->pid : 0);
    if (s->instance && s->instance->ops->kill(s->instance, &err) < 0)
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
