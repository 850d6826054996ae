#include "turn.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "depend.h"
#include "end.h"
#include "host.h"
#include "registry.h"
#include "settle.h"

#include <stdlib.h>
#include <string.h>

/* Mail that arrives during a turn is read in it, so often; then others come first. */
#define TURN_ROUNDS 8

static enum instance_phase phase_of(enum service_state state)
{
    return state == STATE_RUNNING    ? PHASE_RUNNING
           : state == STATE_STOPPING ? PHASE_STOPPING
                                     : PHASE_STARTING;
}

static void note_state(struct service *s, enum service_state before)
{
    s->dirty = true;
    if (s->machine.state == before)
        return;
    s->state_since_utc = clock_utc_us();
    event_state(s, before);
    if (s->instance && s->machine.tree)
        s->instance->ops->mark(s->instance, phase_of(s->machine.state));
}

/* Its next instance can be made while this one stops. */
static bool is_restarting(const struct service *s)
{
    return s->machine.state == STATE_STOPPING && s->machine.op == OP_RESTART;
}

void turn_step(struct service *s, struct machine_event event)
{
    enum service_state before = s->machine.state;
    struct step step = machine_step(&s->machine, event);
    bool well = false;

    s->machine = step.next;
    note_state(s, before);
    if (step.end != END_NONE)
        finish_mark(s, &step);
    if (step.actions & ACT_STOP_SIGNAL) /* at once: neither waits for the journal */
        act_signal(s);
    if (step.actions & ACT_KILL_TREE)
        act_kill(s);
    act_state_deadline(s, step.deadline);
    if ((step.actions & ACT_STOP_SIGNAL) && is_restarting(s))
        act_prepare(s);
    if (step.end != END_NONE)
        finish_active(s, &step);
    if (step.actions & ACT_KILL_RELOAD)
        act_kill_reload(s);
    if (step.actions & ACT_QUEUE_RECOVERY)
        op_unref(service_push_automatic(s, ACTION_START, ORIGIN_RECOVERY));
    if (((step.actions & ACT_SPAWN) && !act_spawn(s)) ||
        ((step.actions & ACT_RESTART) && !act_restart(s)))
        turn_step(s, (struct machine_event){.kind = EVENT_SPAWN_FAILED});
    if ((step.actions & ACT_RELOAD) && !act_reload(s, &well))
        turn_step(s, (struct machine_event){.kind = EVENT_RELOADED, .clean = well});
}

/* ---- mail ---- */

static void take_spec(struct service *s, struct mail *mail)
{
    if (mail->spec && !unit_take_spec(s, mail->spec)) {
        free(mail->config_error);
        mail->config_error = strdup("what drives it changes only while it is stopped: stop it and "
                                    "reload the configuration again");
        spec_unref(take(mail->spec));
    }
    if (mail->spec) {
        spec_unref(s->spec);
        s->spec = take(mail->spec);
        s->spec_digest = spec_digest(s->spec);
        s->machine.restart = s->spec->restart;
        s->machine.attempts = s->spec->attempts;
        s->machine.stop_on_timeout = s->spec->on_timeout == ON_TIMEOUT_STOP;
        if (s->log && log_open_service(s->host->logs, s->spec, &s->log, NULL) < 0)
            log_warning("%s: its log keeps the old limits", s->name);
    }
    free(s->config_error);
    s->config_error = take(mail->config_error);
    s->dirty = true;
}

static void release_instance(struct service *s)
{
    if (s->instance)
        s->instance->ops->release(s->instance);
    s->instance = NULL;
    s->reload_runs = false;
    spec_unref(s->running);
    s->running = NULL;
    s->running_digest = 0;
}

static void take_exit(struct service *s, const struct mail *mail)
{
    char text[EXIT_CAUSE_TEXT_SIZE];
    bool unasked = s->machine.state == STATE_RUNNING;

    s->last_exit = mail->exit;
    event_exit(s, s->instance ? s->instance->pid : 0, mail->exit);
    if (unasked) {
        exit_cause_describe(mail->exit, text);
        log_line(exit_cause_clean(mail->exit) ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "%s: pid %d %s",
                 s->name, s->instance ? (int)s->instance->pid : 0, text);
    }
    if (mail->bits & MAIL_TREE_GONE)
        release_instance(s); /* nothing is left that a signal could reach */
    turn_step(s, (struct machine_event){
                     .kind = EVENT_MAIN_EXITED,
                     .clean = exit_cause_clean(mail->exit) && !s->start_error,
                 });
}

static void take_tree_gone(struct service *s)
{
    release_instance(s);
    turn_step(s, (struct machine_event){.kind = EVENT_TREE_GONE});
}

static void take_operation_deadline(struct service *s)
{
    if (!s->operation_due || clock_mono_us() < s->operation_due)
        return; /* of an operation that has ended since */
    s->operation_due = 0;
    if (s->output_waits)
        finish_with_output(s, NULL);
    else if (s->begin_waits)
        finish_before_machine(s, OPERATION_TIMED_OUT,
                              s->begin_written
                                  ? "the service did not come to rest in time"
                                  : "its beginning could not be written to the journal in time");
    else
        turn_step(s, (struct machine_event){.kind = EVENT_OPERATION_DEADLINE});
}

static void take_state_deadline(struct service *s)
{
    if (!s->state_due || clock_mono_us() < s->state_due)
        return;
    s->state_due = 0;
    turn_step(s, (struct machine_event){.kind = EVENT_STATE_DEADLINE});
}

static bool is_active(struct service *s, int64_t id)
{
    bool same;

    service_lock(s);
    same = s->active && s->active->record.id == id;
    service_unlock(s);
    return same;
}

static void take_give_up(struct service *s, const char *text, enum machine_event_kind kind)
{
    if (s->begin_waits) {
        finish_before_machine(s, OPERATION_CANCELLED, text);
    } else if (!s->output_waits) {
        free(s->given_up);
        s->given_up = strdup(text);
        turn_step(s, (struct machine_event){.kind = kind});
    }
}

static void take_reloaded(struct service *s, struct mail *mail, struct enclosure *in)
{
    s->reload_runs = false;
    s->reload_exit = mail->reload_exit;
    free(s->reload_error);
    s->reload_error = take(in->reload_error);
    turn_step(s, (struct machine_event){
                     .kind = EVENT_RELOADED,
                     .clean = exit_cause_clean(mail->reload_exit) && !s->reload_error,
                 });
}

/* Facts first, in the order in which they happen to an instance; deadlines last, so that what has
 * happened in time is not called late. */
static void read_mail(struct service *s, struct mail *mail)
{
    struct enclosure nothing = {0}, *in = mail->enclosed ? mail->enclosed : &nothing;
    unsigned bits = mail->bits;

    if (bits & MAIL_SPEC)
        take_spec(s, mail);
    if ((bits & MAIL_UNIT) && in->unit)
        unit_take_seen(s, take(in->unit));
    if (bits & MAIL_JOB)
        unit_take_job(s, mail, in);
    if (bits & MAIL_STARTED) {
        if (s->instance)
            s->instance->pid = mail->pid;
        turn_step(s, (struct machine_event){.kind = EVENT_STARTED});
    }
    if (bits & MAIL_START_ERROR) {
        free(s->start_error);
        s->start_error = take(in->start_error);
    }
    if (bits & MAIL_READY)
        turn_step(s, (struct machine_event){.kind = EVENT_READY});
    if (bits & MAIL_RELOADED)
        take_reloaded(s, mail, in);
    if (bits & MAIL_MAIN_EXITED)
        take_exit(s, mail);
    if (bits & MAIL_TREE_GONE)
        take_tree_gone(s);
    if ((bits & MAIL_BEGUN) && s->begin_waits && is_active(s, mail->begun))
        s->begin_written = true; /* it acts as soon as the service is at rest: see begin.c */
    if ((bits & MAIL_OUTPUT) && s->output_waits && is_active(s, in->output_for))
        finish_with_output(s, &in->output);
    if ((bits & MAIL_CANCEL) && is_active(s, in->cancel))
        take_give_up(s, in->cancel_text ? in->cancel_text : "cancelled", EVENT_CANCEL);
    if (bits & MAIL_GIVE_UP)
        take_give_up(s, "the daemon is shutting down", EVENT_GIVE_UP);
    if (bits & MAIL_OPERATION_DEADLINE)
        take_operation_deadline(s);
    if (bits & MAIL_STATE_DEADLINE)
        take_state_deadline(s);
    if (bits & MAIL_KILL)
        act_kill(s);
    if (bits & MAIL_LOOK)
        s->dirty = true;
}

/* Whoever waits for an operation is told when its outcome can be seen on the board as well. */
static void announce_ends(struct service *s)
{
    bool told = false;

    list_for_each_safe(link, &s->announce)
    {
        struct op *op = list_entry(link, struct op, announce_link);

        list_remove(link);
        op_announce(op);
        op_unref(op);
        told = true;
    }
    if (told)
        depend_notify(s); /* an end that changed no state is news to who has asked for it */
}

void turn_run(struct run_item *item)
{
    struct service *s = list_entry(item, struct service, run);
    struct mail mail;
    int told = 0;

    for (int round = 0; round < TURN_ROUNDS && service_take_mail(s, &mail); round++) {
        told += (mail.bits & MAIL_TOLD) != 0;
        read_mail(s, &mail);
        mail_deinit(&mail);
        unit_watch(s);
        begin_operations(s);
    }
    if (!is_restarting(s))
        act_forget_standby(s);
    if (s->dirty)
        publish(s);
    for (; told > 0; told--)
        settle_shown(s->host);
    announce_ends(s);
    events_flush(&s->host->events);
    quiet_stir(&s->host->quiet);
    service_rest(s);
}
