/* The active operation ends: its detail, its last lines of output, its record.
 * Threads: the turn's; the tail comes from the logs' thread as mail. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "end.h"
#include "host.h"
#include "turn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_LINES 20
/* How long the last lines are waited for; a disk that hangs must not hold the operation. */
#define OUTPUT_WAIT (2 * USEC_PER_SEC)

static struct op *active(struct service *s)
{
    struct op *op;

    service_lock(s);
    op = s->active;
    service_unlock(s);
    return op;
}

/* What was superseded before it began must not push out what somebody was told of: it is known by
 * the number of what begins instead. */
static bool belongs_into_mark(struct service *s, const struct op *op, enum operation_state state)
{
    return !op_automatic(op) && (state != OPERATION_SUPERSEDED || op->record.started_utc ||
                                 atomic_load(&s->ends_in_mark) < MARK_ENDS);
}

/* For a next daemon, in case that the journal has not been told; its own operations it decides
 * anew. Returns when it ended. */
static int64_t mark_end(struct service *s, struct op *op, struct mark_end end)
{
    struct mark_end *ends = belongs_into_mark(s, op, end.state) ? service_ends(s) : NULL;

    end.first = op->record.id;
    end.at_utc = clock_utc_us();
    if (ends) {
        memmove(ends + 1, ends, (MARK_ENDS - 1) * sizeof *ends);
        ends[0] = end;
        op->in_mark = true;
        atomic_fetch_add(&s->ends_in_mark, 1);
    }
    publish_mark(s);
    return end.at_utc;
}

static int64_t mark_end_of_active(struct service *s, struct op *op, enum operation_state state,
                                  bool changed)
{
    return mark_end(s, op,
                    (struct mark_end){
                        .last = s->mark.begun.last,
                        .state = state,
                        .changed = changed,
                        .began_utc = s->mark.begun.at_utc,
                    });
}

/* Whether its end stands in the mark whole: then the journal need not be told at once; unless the
 * mark is full of such ends, for the next operation waits then (begin.c). */
static bool is_whole_in_mark(struct service *s, const struct op *op, const struct op_result *result)
{
    return op->in_mark && atomic_load(&s->ends_in_mark) < MARK_ENDS && s->mark_place &&
           result->state == OPERATION_SUCCEEDED && !result->detail;
}

static void finish(struct service *s, struct op_result *result)
{
    struct op *op = active(s);
    struct service_record record;

    if (publish_record(s, &record))
        result->service = &record;
    act_operation_deadline(s, 0);
    s->begin_waits = s->begin_written = s->output_waits = false;
    s->dirty = true;
    result->at_utc =
        s->ended_utc ? s->ended_utc : mark_end_of_active(s, op, result->state, result->changed);
    s->ended_utc = 0;
    result->later = is_whole_in_mark(s, op, result);
    op_end(op, result);
    service_lock(s);
    s->active = NULL;
    service_unlock(s);
    list_append(&s->announce, &op->announce_link); /* with the queue's reference */
}

static int64_t last_joined(struct service *s, struct op *op)
{
    int64_t last = op->record.id;

    service_lock(s);
    list_for_each(link, &op->joined) last = list_entry(link, struct op, link)->record.id;
    service_unlock(s);
    return last;
}

void finish_superseded(struct service *s, struct op *op, const char *detail)
{
    struct op_result result = {.state = OPERATION_SUPERSEDED, .detail = detail};

    result.at_utc = mark_end(
        s, op, (struct mark_end){.last = last_joined(s, op), .state = OPERATION_SUPERSEDED});
    op_end(op, &result);
    op_announce(op);
}

void finish_before_machine(struct service *s, enum operation_state state, const char *detail)
{
    finish(s, &(struct op_result){.state = state, .detail = detail});
}

void finish_done_before(struct service *s)
{
    finish(s, &(struct op_result){.state = OPERATION_SUCCEEDED, .changed = true});
}

static enum operation_state state_of(enum op_end end)
{
    switch (end) {
    case END_SUCCEEDED: return OPERATION_SUCCEEDED;
    case END_FAILED: return OPERATION_FAILED;
    case END_TIMED_OUT: return OPERATION_TIMED_OUT;
    case END_CANCELLED: return OPERATION_CANCELLED;
    case END_SUPERSEDED: return OPERATION_SUPERSEDED;
    case END_NONE: break;
    }
    __builtin_unreachable();
}

static bool changed_by(const struct service *s, const struct step *step)
{
    return step->changed || (step->end == END_SUCCEEDED && s->resumed_active);
}

void finish_mark(struct service *s, const struct step *step)
{
    s->ended_utc = mark_end_of_active(s, active(s), state_of(step->end), changed_by(s, step));
}

/* What becomes of a unit at the timeout. */
static void unit_describe(const struct service *s, char *text, size_t size)
{
    size_t length = strlen(text);

    if (s->unit->fault[0])
        snprintf(text + length, size - length, ": %s", s->unit->fault);
    else
        snprintf(text + length, size - length, ": the unit is %s (%s), and %s", s->unit->active,
                 s->unit->sub,
                 s->machine.stop_on_timeout ? "is stopped (on_timeout = stop)" : "left to systemd");
}

static void describe(const struct service *s, const struct operation *r, const struct step *step,
                     char *text, size_t size)
{
    char cause[EXIT_CAUSE_TEXT_SIZE], within[UNITS_TEXT_SIZE];

    text[0] = '\0';
    switch (step->reason) {
    case BECAUSE_DONE:
        if (!step->changed && !s->resumed_active)
            snprintf(text, size, "it was %s already",
                     r->action == ACTION_STOP ? "stopped" : "running");
        return;
    case BECAUSE_JOB:
        if (s->job_detail)
            snprintf(text, size, "%s", s->job_detail);
        else if (step->end == END_SUCCEEDED && !step->changed && !s->resumed_active)
            snprintf(text, size, "it was %s already",
                     r->action == ACTION_STOP ? "stopped" : "running");
        return;
    case BECAUSE_EXITED_EARLY:
        exit_cause_describe(s->last_exit, cause);
        if (s->start_error)
            snprintf(text, size, "%s", s->start_error);
        else
            snprintf(text, size, "%s before becoming ready", cause);
        return;
    case BECAUSE_SPAWN_FAILED:
    case BECAUSE_DEPENDENCY:
        snprintf(text, size, "%s", s->start_error ? s->start_error : "out of memory");
        return;
    case BECAUSE_NOT_READY:
        units_format_duration(s->spec->ready_timeout_us, within);
        snprintf(text, size, "not ready within its readiness timeout of %s", within);
        return;
    case BECAUSE_DEADLINE:
        units_format_duration(r->timeout_us, within);
        snprintf(text, size, "%s within its timeout of %s",
                 r->action == ACTION_STOP     ? "not stopped"
                 : r->action == ACTION_RELOAD ? "the reload command has not ended"
                 : r->action == ACTION_SIGNAL ? "not signalled"
                                              : "not ready",
                 within);
        if (s->machine.unit)
            unit_describe(s, text, size);
        return;
    case BECAUSE_STUCK:
        snprintf(text, size,
                 "pid %d has survived SIGKILL: only a stop can be asked until it is gone",
                 s->instance ? (int)s->instance->pid : 0);
        return;
    case BECAUSE_GOAL_DOWN: snprintf(text, size, "the service has been stopped meanwhile"); return;
    case BECAUSE_CANCELLED:
    case BECAUSE_SUPERSEDED:
    case BECAUSE_SHUTDOWN: snprintf(text, size, "%s", s->given_up ? s->given_up : ""); return;
    case BECAUSE_NOT_RUNNING:
        snprintf(text, size, "it is %s%s: only a running service can be %s",
                 s->machine.state == STATE_BACKOFF ? "in " : "",
                 service_state_name(s->machine.state),
                 r->action == ACTION_RELOAD ? "reloaded" : "signalled");
        return;
    case BECAUSE_EXITED:
        exit_cause_describe(s->last_exit, cause);
        snprintf(text, size, "the service %s meanwhile", cause);
        return;
    case BECAUSE_RELOAD_FAILED:
        exit_cause_describe(s->reload_exit, cause);
        if (s->reload_error)
            snprintf(text, size, "%s", s->reload_error);
        else
            snprintf(text, size, "the reload command %s", cause);
        return;
    case BECAUSE_GIVEN_UP: snprintf(text, size, "the attempts are used up"); return;
    }
}

static bool wants_output(const struct service *s, const struct operation *r,
                         const struct step *step)
{
    return s->log && r->action != ACTION_STOP &&
           ((step->end == END_FAILED &&
             (step->reason == BECAUSE_EXITED_EARLY || step->reason == BECAUSE_NOT_READY ||
              step->reason == BECAUSE_EXITED ||
              (step->reason == BECAUSE_RELOAD_FAILED && s->reload_exit.kind != EXIT_NONE))) ||
            (step->end == END_FAILED && step->reason == BECAUSE_JOB) || step->end == END_TIMED_OUT);
}

static void output_ready(void *context, const struct string_list *lines)
{
    struct op *op = context;

    service_post_output(op->service, op->record.id, lines);
    op_unref(op);
}

static void end_now(struct service *s, const struct step *step, struct string_list *lines)
{
    struct op *op = active(s);
    const struct operation *r = &op->record;
    char detail[600];
    struct op_result result = {
        .state = state_of(step->end),
        .changed = changed_by(s, step),
        .output = lines,
    };

    describe(s, r, step, detail, sizeof detail);
    result.detail = detail[0] ? detail : NULL;
    if ((step->reason == BECAUSE_EXITED_EARLY && !s->start_error) || step->reason == BECAUSE_EXITED)
        result.exit = s->last_exit;
    if (step->reason == BECAUSE_RELOAD_FAILED)
        result.exit = s->reload_exit;
    if (step->reason == BECAUSE_JOB && step->end == END_FAILED &&
        (s->machine.state == STATE_FAILED || s->machine.state == STATE_BACKOFF))
        result.exit = s->last_exit;
    finish(s, &result);
}

/* False: without memory. */
static bool asks_for_output(struct service *s, struct op *op)
{
    int64_t since = op->record.action == ACTION_RELOAD ? s->reload_mark : s->log_mark;

    if (log_tail(s->log, since, OUTPUT_LINES, output_ready, op_ref(op)) == 0)
        return true;
    op_unref(op);
    return false;
}

void finish_active(struct service *s, const struct step *step)
{
    struct op *op = active(s);

    if (wants_output(s, &op->record, step))
        s->ended = malloc(sizeof *s->ended);
    if (!s->ended || !asks_for_output(s, op)) {
        free(take(s->ended));
        end_now(s, step, NULL);
        return;
    }
    s->output_waits = true;
    *s->ended = *step;
    act_operation_deadline(s, clock_mono_us() + OUTPUT_WAIT);
}

void finish_with_output(struct service *s, struct string_list *lines)
{
    CLEANUP(freep) struct step *ended = take(s->ended);

    end_now(s, ended, lines);
}
