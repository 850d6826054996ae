/* The mailbox: everything here is short and runs under the service's lock, from any thread. */
#include "service.h"

#include "base/clock.h"
#include "host.h"
#include "settle.h"
#include "turn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct lock_class service_lock_class;

void service_lock(struct service *s) NO_THREAD_SAFETY_CHECK
{
    lock_take(&s->lock);
}

/* Whether people wait for what the next turn does. */
static bool asked_for(const struct service *s) REQUIRES(service_lock_class)
{
    const struct op *op = s->active ? s->active : op_queue_head(&s->queue);

    return op && !op_automatic(op);
}

void service_unlock(struct service *s) NO_THREAD_SAFETY_CHECK
{
    bool due = s->due;

    if (due)
        s->run.asked_for = asked_for(s);
    s->due = false;
    lock_release(&s->lock);
    if (due)
        run_queue_add(&s->host->run_queue, &s->run);
}

static void operation_deadline_passed(struct deadline *deadline)
{
    service_post(list_entry(deadline, struct service, operation_deadline), MAIL_OPERATION_DEADLINE);
}

static void state_deadline_passed(struct deadline *deadline)
{
    service_post(list_entry(deadline, struct service, state_deadline), MAIL_STATE_DEADLINE);
}

/* What an acceptance needs to know of the specification, without the turn. */
static void take_limits(struct service *s, const struct service_spec *spec)
    REQUIRES(service_lock_class)
{
    s->queue_limit = spec->queue_limit;
    s->default_timeout_us = spec->timeout_us;
    s->can_reload = spec_can_reload(spec);
    s->coalesces = spec->coalesce;
    s->stays = spec_is_unit(spec) && !spec->autostart;
}

struct service *service_new(struct host *host, struct service_spec *spec) NO_THREAD_SAFETY_CHECK
{
    struct service *s = calloc(1, sizeof *s + strlen(spec->name) + 1);

    if (!s)
        return NULL;
    s->host = host;
    s->place = board_place(&host->board, spec->name);
    if (!s->place) {
        free(s);
        return NULL;
    }
    strcpy(s->name, spec->name);
    lock_init(&s->lock, LOCK_SERVICE);
    op_queue_init(&s->queue);
    list_init(&s->run.link);
    s->run.run = turn_run;
    list_init(&s->announce);
    s->operation_deadline.passed = operation_deadline_passed;
    s->state_deadline.passed = state_deadline_passed;
    s->known = true;
    s->unit = &unit_unseen;
    s->latest = spec_ref(spec);
    s->spec = spec_ref(spec);
    s->spec_digest = spec_digest(spec);
    take_limits(s, spec);
    s->machine = (struct machine){
        .state = STATE_STOPPED,
        .goal = GOAL_DOWN,
        .readiness = spec->readiness,
        .restart = spec->restart,
        .attempts = spec->attempts,
        .unit = spec_is_unit(spec),
        .stop_on_timeout = spec->on_timeout == ON_TIMEOUT_STOP,
    };
    s->state_since_utc = clock_utc_us();
    s->dirty = true;
    return s;
}

void service_free(struct service *s) NO_THREAD_SAFETY_CHECK
{
    struct op *op;

    if (!s)
        return;
    watcher_clear(s->host->watcher, &s->operation_deadline);
    watcher_clear(s->host->watcher, &s->state_deadline);
    act_forget_standby(s);
    if (s->instance)
        s->instance->ops->release(s->instance);
    while ((op = op_queue_head(&s->queue))) {
        op_queue_remove(&s->queue, op);
        op_unref(op);
    }
    op_unref(s->active);
    for (size_t i = 0; i < s->pulled_count; i++)
        op_unref(s->pulled[i].op);
    free(s->pulled);
    mail_deinit(&s->mail);
    spec_unref(s->latest);
    spec_unref(s->spec);
    spec_unref(s->running);
    free(s->dependents);
    free(s->config_error);
    free(s->start_error);
    free(s->reload_error);
    free(s->given_up);
    free(s->job_detail);
    unit_let_go(s);
    free(s->waiting_for);
    free(s->ended);
    free(s->mark.ends);
    lock_deinit(&s->lock);
    free(s);
}

struct mark_end *service_ends(struct service *s)
{
    if (!s->mark.ends)
        s->mark.ends = calloc(MARK_ENDS, sizeof *s->mark.ends);
    return s->mark.ends;
}

/* ---- mail ---- */

void service_post_locked(struct service *s, unsigned bits)
{
    s->mail.bits |= bits;
    if (s->scheduled)
        return;
    s->scheduled = s->due = true;
}

void service_post(struct service *s, unsigned bits)
{
    service_lock(s);
    service_post_locked(s, bits);
    service_unlock(s);
}

static void tell_locked(struct service *s, unsigned bits) REQUIRES(service_lock_class)
{
    if (!(s->mail.bits & MAIL_TOLD))
        settle_told(s->host);
    service_post_locked(s, bits | MAIL_TOLD);
}

void service_post_told(struct service *s, unsigned bits)
{
    service_lock(s);
    tell_locked(s, bits);
    service_unlock(s);
}

void service_post_spec(struct service *s, struct service_spec *spec, char *config_error)
{
    service_lock(s);
    if (spec) {
        spec_unref(s->mail.spec);
        s->mail.spec = spec;
        take_limits(s, spec);
    }
    free(s->mail.config_error);
    s->mail.config_error = config_error;
    tell_locked(s, MAIL_SPEC);
    service_unlock(s);
}

void service_post_begun(struct service *s, int64_t id)
{
    service_lock(s);
    s->mail.begun = id;
    service_post_locked(s, MAIL_BEGUN);
    service_unlock(s);
}

struct enclosure *service_enclosed(struct service *s)
{
    if (!s->mail.enclosed)
        s->mail.enclosed = calloc(1, sizeof *s->mail.enclosed);
    return s->mail.enclosed;
}

/* Without memory it is not told. */
static void replace(char **text, const char *by)
{
    free(*text);
    *text = by ? strdup(by) : NULL;
}

void service_post_output(struct service *s, int64_t id, const struct string_list *lines)
{
    struct enclosure *in;

    service_lock(s);
    in = service_enclosed(s);
    if (in) { /* without memory the operation goes on when it has waited for long enough */
        string_list_clear(&in->output);
        for (size_t i = 0; i < lines->count; i++)
            if (string_list_add(&in->output, lines->items[i]) < 0)
                break; /* without memory fewer lines are shown */
        in->output_for = id;
        service_post_locked(s, MAIL_OUTPUT);
    }
    service_unlock(s);
}

/* Puts what the event carries into the mail; the bit that says so, or 0. */
static unsigned put_event(struct service *s, const struct backend_event *event)
    REQUIRES(service_lock_class)
{
    struct enclosure *in;

    switch (event->kind) {
    case BACKEND_STARTED: s->mail.pid = event->pid; return MAIL_STARTED;
    case BACKEND_START_ERROR:
        in = service_enclosed(s);
        if (in)
            replace(&in->start_error, event->detail);
        return MAIL_START_ERROR;
    case BACKEND_RELOADED:
        s->mail.reload_exit = event->exit;
        in = event->detail ? service_enclosed(s) : s->mail.enclosed;
        if (in)
            replace(&in->reload_error, event->detail);
        return MAIL_RELOADED;
    case BACKEND_READY: return MAIL_READY;
    case BACKEND_MAIN_EXITED: s->mail.exit = event->exit; return MAIL_MAIN_EXITED;
    case BACKEND_TREE_GONE: return MAIL_TREE_GONE;
    case BACKEND_UNIT_SEEN:
        in = service_enclosed(s);
        if (in && !in->unit)
            in->unit = malloc(sizeof *in->unit);
        if (!in || !in->unit)
            return 0; /* without memory the next sight has to do */
        *in->unit = *event->unit;
        return MAIL_UNIT;
    case BACKEND_JOB_ENDED:
        s->mail.job_request = event->request;
        s->mail.job_well = event->well;
        in = event->detail ? service_enclosed(s) : s->mail.enclosed;
        if (in)
            replace(&in->job_detail, event->detail);
        return MAIL_JOB;
    }
    __builtin_unreachable();
}

void service_post_event(void *owner, const struct backend_event *event)
{
    struct service *s = owner;
    unsigned bit = 0;

    service_lock(s);
    if (event->generation == 0 || event->generation == s->mail_generation)
        bit = put_event(s, event);
    if (event->more)
        s->mail.bits |= bit; /* one turn for it and the next one */
    else if (bit)
        service_post_locked(s, bit);
    service_unlock(s);
}

bool service_take_mail(struct service *s, struct mail *ret_mail)
{
    bool any;

    service_lock(s);
    any = s->mail.bits != 0;
    if (any) { /* else there may be an empty enclosure: the next mail's */
        *ret_mail = s->mail;
        s->mail = (struct mail){0};
    }
    service_unlock(s);
    return any;
}

static void enclosure_free(struct enclosure *in)
{
    if (!in)
        return;
    free(in->start_error);
    free(in->reload_error);
    free(in->cancel_text);
    string_list_clear(&in->output);
    free(in->unit);
    free(in->job_detail);
    free(in);
}

void mail_deinit(struct mail *mail)
{
    spec_unref(mail->spec);
    free(mail->config_error);
    enclosure_free(mail->enclosed);
    *mail = (struct mail){0};
}

void service_rest(struct service *s)
{
    service_lock(s);
    s->scheduled = s->due = s->mail.bits != 0;
    service_unlock(s);
}
