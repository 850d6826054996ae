/* A service that is a systemd unit: the watch over it, and what is seen of it.
 * Threads: the turn's. */
#include "base/clock.h"
#include "base/log.h"
#include "boot.h"
#include "events.h"
#include "host.h"
#include "registry.h"
#include "turn.h"

#include <stdlib.h>
#include <string.h>

const struct unit_seen unit_unseen = {0};

void unit_let_go(struct service *s)
{
    if (s->unit != &unit_unseen)
        free((void *)s->unit);
    s->unit = &unit_unseen;
}

void unit_watch(struct service *s)
{
    struct host *host = s->host;
    struct error err = {0};

    if (!s->machine.unit || s->instance || registry_removed(s))
        return;
    if (log_open_service(host->logs, s->spec, &s->log, &err) < 0)
        log_warning("%s: its output is not shown: %s", s->name, err.text);
    if (host->units->ops->adopt(host->units, s->spec, NULL, s, &s->instance, &err) < 0)
        log_error("%s: unit %s is not watched: %s", s->name, s->spec->unit, err.text);
}

void unit_forget(struct service *s)
{
    if (s->instance)
        s->instance->ops->release(s->instance);
    s->instance = NULL;
    unit_let_go(s);
    s->unit_known = false;
}

/* What no longer holds of the service when something else drives it. */
static void begin_anew(struct service *s, const struct service_spec *spec)
{
    enum service_state before = s->machine.state;

    unit_forget(s);
    act_state_deadline(s, DEADLINE_CLEAR);
    s->machine = (struct machine){
        .state = STATE_STOPPED,
        .goal = GOAL_DOWN,
        .readiness = spec->readiness,
        .unit = spec_is_unit(spec),
    };
    s->last_exit = (struct exit_cause){0};
    if (before != STATE_STOPPED)
        s->state_since_utc = clock_utc_us();
    s->log = NULL; /* the logs keep it */
}

bool unit_take_spec(struct service *s, const struct service_spec *spec)
{
    if (spec_same_driver(s->spec, spec))
        return true;
    if (!machine_at_rest(&s->machine) || s->begin_waits || s->output_waits ||
        (!s->machine.unit && s->instance))
        return false;
    begin_anew(s, spec);
    return true;
}

/* ---- what is seen ---- */

static void count_restarts(struct service *s, const struct unit_seen *seen)
{
    if (!s->unit_known)
        return; /* what was before is not ours to count */
    if (seen->restarts > s->unit->restarts)
        s->restarts += seen->restarts - s->unit->restarts;
    else if (seen->restarts < s->unit->restarts) /* it went back to 0 meanwhile */
        s->restarts += seen->restarts;
}

/* Another run of it is another generation, over daemons too. */
static bool count_generation(struct service *s, const struct unit_seen *seen)
{
    if (!seen->invocation || seen->invocation == s->invocation)
        return false;
    s->invocation = seen->invocation;
    s->generation++;
    return true;
}

static void tell_exit(struct service *s, const struct unit_seen *seen)
{
    bool ended = s->unit->pid && seen->pid != s->unit->pid;

    if (seen->exit.kind != EXIT_NONE)
        s->last_exit = seen->exit;
    if (s->unit_known && ended && seen->exit.kind != EXIT_NONE)
        event_exit(s, s->unit->pid, seen->exit);
}

static void say_what_changed(struct service *s, const struct unit_seen *seen)
{
    if (strcmp(seen->fault, s->unit->fault) != 0) {
        if (seen->fault[0])
            log_warning("%s: unit %s: %s", s->name, s->spec->unit, seen->fault);
        else
            log_info("%s: unit %s can be driven again", s->name, s->spec->unit);
    }
    if (seen->advice[0] && strcmp(seen->advice, s->unit->advice) != 0)
        log_warning("%s: unit %s: %s", s->name, s->spec->unit, seen->advice);
    if (s->machine.op == OP_NONE && s->unit_known && seen->state != s->unit->state)
        log_line(seen->state == STATE_FAILED || seen->state == STATE_BACKOFF ? LOG_LEVEL_WARNING
                                                                             : LOG_LEVEL_INFO,
                 "%s: unit %s is %s (%s)", s->name, s->spec->unit, seen->active, seen->sub);
}

/* Only a change tells what somebody wants. At the first sight of it one that is to be started with
 * the daemon stays wanted. */
static bool wanted_known(const struct service *s, const struct unit_seen *seen)
{
    if (!seen->wanted_known)
        return false;
    if (!s->unit_known)
        return !(s->spec->autostart && seen->state == STATE_STOPPED);
    return seen->state != s->unit->state || !s->unit->wanted_known;
}

/* One that is to be started with the daemon could not be, as long as the bus was away. */
static void start_after_all(struct service *s)
{
    if (s->spec->autostart && s->machine.goal == GOAL_UP && s->machine.op == OP_NONE &&
        s->machine.state == STATE_STOPPED && !atomic_load(&s->host->closing))
        op_unref(service_push_automatic(s, ACTION_START, ORIGIN_BOOT));
}

static void first_sight(struct service *s)
{
    s->unit_known = true;
    if (s->counts_as_unseen)
        boot_unit_seen(s->host);
    s->counts_as_unseen = false;
}

void unit_take_seen(struct service *s, struct unit_seen *seen)
{
    struct machine_event event = {
        .kind = EVENT_UNIT_SEEN,
        .seen = seen->state,
        .wanted_known = wanted_known(s, seen),
        .wanted = seen->wanted,
    };

    bool healed = s->unit->fault[0] && !seen->fault[0];

    if (!s->machine.unit) {
        free(seen);
        return; /* of the unit that it was */
    }
    if (!s->unit_known && seen->state == STATE_FAILED)
        s->machine.state = STATE_FAILED; /* whether somebody has stopped it is not known */
    say_what_changed(s, seen);
    count_restarts(s, seen);
    tell_exit(s, seen);
    event.renewed = count_generation(s, seen);
    unit_let_go(s);
    s->unit = seen;
    s->machine.recovers = seen->recovers;
    if (seen->active[0]) /* else nothing is known of it but the fault */
        turn_step(s, event);
    s->dirty = true;
    if (seen->since_utc)
        s->state_since_utc = seen->since_utc;
    if (!s->unit_known)
        first_sight(s);
    if (healed)
        start_after_all(s);
}

void unit_take_job(struct service *s, struct mail *mail, struct enclosure *in)
{
    if (!s->instance || mail->job_request != s->instance->request)
        return; /* of an operation that has ended before */
    free(s->job_detail);
    s->job_detail = in->job_detail;
    in->job_detail = NULL;
    turn_step(s, (struct machine_event){.kind = EVENT_JOB_ENDED, .clean = mail->job_well});
}
