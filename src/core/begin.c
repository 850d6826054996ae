/* The next operation begins: when the service is at rest, the operation stands at the head of the
 * queue, its acceptance is committed, and its dependencies let it.
 * Threads: the turn's. */
#include "base/clock.h"
#include "base/log.h"
#include "depend.h"
#include "end.h"
#include "host.h"
#include "turn.h"

#include <stdlib.h>
#include <string.h>

/* One turn begins so many that end at once; then other services come first. */
#define BEGIN_AT_ONCE 16

/* The head of the queue if it may run, with a reference; NULL: none. */
static struct op *peek(struct service *s)
{
    struct op *op;

    service_lock(s);
    op = s->active ? NULL : op_queue_head(&s->queue);
    if (op && !op_all_committed(op)) {
        op->joining_closed = op->committed; /* else a stream of requests could hold it for ever */
        op = NULL;
    }
    if (op)
        op_ref(op);
    service_unlock(s);
    return op;
}

static void set_begun(struct service *s, struct op *op, int64_t now_utc, int64_t now)
    REQUIRES(service_lock_class)
{
    struct operation *r = &op->record;

    r->state = OPERATION_RUNNING;
    r->position = 0;
    free(r->waiting_for);
    r->waiting_for = NULL;
    if (op->resumed)
        return;
    r->started_utc = now_utc;
    r->started_mono = now;
    r->begin_generation = s->generation;
}

/* Makes the head the active operation; false: somebody has cancelled it meanwhile. */
static bool activate(struct service *s, struct op *op)
{
    bool mine;
    int64_t now_utc = clock_utc_us(), now = clock_mono_us(), last = op->record.id;
    int people = !op_automatic(op);

    service_lock(s);
    mine = op_queue_head(&s->queue) == op;
    if (mine) {
        op_queue_remove(&s->queue, op);
        s->active = op; /* with the queue's reference */
        set_begun(s, op, now_utc, now);
        list_for_each(link, &op->joined)
        {
            struct op *joined = list_entry(link, struct op, link);

            set_begun(s, joined, now_utc, now);
            last = joined->record.id;
            people++;
        }
    }
    service_unlock(s);
    if (!mine)
        return false;
    atomic_fetch_sub(&s->host->people_waiting, people);
    s->mark.begun = (struct mark_begin){
        .first = op->record.id,
        .last = last,
        .generation = op->record.begin_generation,
        .at_utc = op->record.started_utc,
        .at_mono = op->record.started_mono,
    };
    publish_mark(s);
    s->resumed_active = op->resumed;
    act_operation_deadline(s, op->record.started_mono + op->record.timeout_us);
    event_operation(op);
    log_info("%s: %s %lld %s", s->name, action_name(op->record.action), (long long)op->record.id,
             op->resumed ? "goes on" : "began");
    return true;
}

/* A restart that an earlier daemon had begun and whose next instance is already there only has to
 * wait for it. */
static enum machine_event_kind event_for(const struct service *s, const struct op *op)
{
    const struct operation *r = &op->record;

    switch (r->action) {
    case ACTION_START:
        if (s->machine.unit && r->origin == ORIGIN_BOOT)
            return EVENT_BEGIN_START; /* whatever it was before */
        return r->origin == ORIGIN_RECOVERY || r->origin == ORIGIN_BOOT ? EVENT_BEGIN_RECOVERY
                                                                        : EVENT_BEGIN_START;
    case ACTION_STOP: return r->origin == ORIGIN_SHUTDOWN ? EVENT_BEGIN_SHUTDOWN : EVENT_BEGIN_STOP;
    case ACTION_RESTART:
        return op->resumed && s->instance && s->generation > r->begin_generation
                   ? EVENT_BEGIN_START
                   : EVENT_BEGIN_RESTART;
    case ACTION_RELOAD:
    case ACTION_SIGNAL: return EVENT_BEGIN_RELOAD;
    }
    __builtin_unreachable();
}

static void begun(void *context, int result)
{
    struct op *op = context;

    if (result == 0)
        service_post_begun(op->service, op->record.id);
    op_unref(op); /* a failure shows at the operation's deadline */
}

/* A unit does not wait for us: what an earlier daemon had asked for is not asked for twice. */
static bool was_started_and_ended(const struct service *s, const struct op *op)
{
    enum action action = op->record.action;

    return s->machine.unit && (action == ACTION_START || action == ACTION_RESTART) &&
           s->generation > op->record.begin_generation &&
           (s->machine.state == STATE_STOPPED || s->machine.state == STATE_FAILED);
}

void begin_committed(struct service *s)
{
    struct op *op;

    service_lock(s);
    op = s->active;
    service_unlock(s);
    s->begin_waits = s->begin_written = false;
    if (op->resumed && op->record.action == ACTION_STOP &&
        s->generation > op->record.begin_generation) {
        /* what it was to stop has gone, and another has been started since */
        finish_done_before(s);
        return;
    }
    if (op->resumed && was_started_and_ended(s, op)) {
        finish_before_machine(s, OPERATION_INTERRUPTED,
                              "the daemon ended meanwhile; the unit was started, and has ended "
                              "since");
        return;
    }
    if (op->record.origin == ORIGIN_RECOVERY && s->machine.state == STATE_BACKOFF &&
        s->machine.goal == GOAL_UP)
        s->restarts++;
    turn_step(s, (struct machine_event){.kind = event_for(s, op)});
}

/* Whether the act has to wait until its beginning is in the journal: a crash in the middle of a
 * restart must find the generation that it began with, and nothing may be signalled twice. With a
 * mark it stands there already, for the next daemon of this boot; no other goes on with it. */
static bool must_be_written(const struct service *s, const struct op *op)
{
    if (s->mark_place)
        return false;
    switch (op->record.action) {
    case ACTION_START:
    case ACTION_STOP: return false;
    case ACTION_RESTART:
    case ACTION_RELOAD:
    case ACTION_SIGNAL: return !op->resumed;
    }
    __builtin_unreachable();
}

static void begin(struct service *s, struct op *op)
{
    struct service_record record;
    bool still;

    if (must_be_written(s, op)) {
        s->begin_waits = true;
        op_write_joined(op, begun, op_ref(op));
        return;
    }
    begin_committed(s);
    service_lock(s);
    still = s->active == op;
    service_unlock(s);
    if (still && !s->output_waits)
        op_write_all(&op, 1,
                     &(struct op_write){
                         .service = publish_record(s, &record) ? &record : NULL,
                         .essential = true,
                         .later = s->mark_place != NULL,
                     });
}

static bool would_start(const struct service *s, const struct op *op)
{
    if (op->record.action == ACTION_RESTART)
        return true;
    if (op->record.action != ACTION_START)
        return false;
    return s->machine.state != STATE_RUNNING && s->machine.state != STATE_STARTING &&
           !(event_for(s, op) == EVENT_BEGIN_RECOVERY && s->machine.goal == GOAL_DOWN);
}

/* Takes text. */
static void set_waiting_for(struct service *s, struct op *op, char *text)
{
    if (s->waiting_op != op->record.id || !s->waiting_for || !text ||
        strcmp(text, s->waiting_for) != 0) {
        s->dirty = true;
        if (text)
            log_info("%s: %s %lld waits for %s", s->name, action_name(op->record.action),
                     (long long)op->record.id, text);
    }
    free(s->waiting_for);
    s->waiting_for = text;
    s->waiting_op = text ? op->record.id : 0;
    service_lock(s);
    free(op->record.waiting_for);
    op->record.waiting_for = text ? strdup(text) : NULL;
    service_unlock(s);
}

static void clear_waiting_for(struct service *s)
{
    free(s->waiting_for);
    s->waiting_for = NULL;
    s->waiting_op = 0;
    depend_forget(s);
}

static enum depend_result check_dependencies(struct service *s, struct op *op, char **ret_text)
{
    *ret_text = NULL;
    if (s->waiting_op && s->waiting_op != op->record.id)
        depend_forget(s);
    if (op->record.origin == ORIGIN_SHUTDOWN)
        return depend_check_shutdown(s, ret_text);
    return would_start(s, op) ? depend_check(s, op, ret_text) : DEPEND_READY;
}

static void fail_dependency(struct service *s, struct op *op, const char *text)
{
    bool automatic = op->record.origin == ORIGIN_RECOVERY || op->record.origin == ORIGIN_BOOT;

    if (!activate(s, op))
        return;
    if (!automatic) {
        finish_before_machine(s, OPERATION_FAILED, text);
        return;
    }
    free(s->start_error);
    s->start_error = strdup(text ? text : "a dependency failed");
    turn_step(s, (struct machine_event){.kind = EVENT_BEGIN_REFUSED});
}

/* One more end would push one out of the mark that the journal does not have yet, and perhaps
 * somebody has been told of that. Neither a stop nor a recovery waits for the journal. */
static bool must_wait_for_journal(struct service *s, const struct op *op)
{
    bool hurries;

    if (op_automatic(op) || !s->mark_place || atomic_load(&s->ends_in_mark) < MARK_ENDS)
        return false;
    service_lock(s);
    hurries = op_queue_stop_waits(&s->queue) || op_queue_automatic_start(&s->queue);
    service_unlock(s);
    return !hurries;
}

/* False: nothing more can begin now. */
static bool begin_next(struct service *s)
{
    struct op *op = peek(s);
    enum depend_result result;
    char *text;

    if (!op) {
        clear_waiting_for(s);
        return false;
    }
    if ((op->record.action == ACTION_RELOAD && s->reload_runs) || must_wait_for_journal(s, op)) {
        op_unref(op); /* the command before it has not gone yet, or the mark has no room */
        return false;
    }
    result = check_dependencies(s, op, &text);
    if (result == DEPEND_WAIT) {
        set_waiting_for(s, op, text);
        op_unref(op);
        return false;
    }
    clear_waiting_for(s);
    s->dirty = true;
    if (result == DEPEND_FAILED)
        fail_dependency(s, op, text);
    else if (activate(s, op))
        begin(s, op);
    free(text);
    op_unref(op);
    return true;
}

void begin_operations(struct service *s)
{
    if (s->machine.unit && !s->unit_known)
        return; /* the first sight of it comes in any case */
    make_way(s);
    if (s->begin_written && machine_at_rest(&s->machine))
        begin_committed(s);
    for (int n = 0; n < BEGIN_AT_ONCE; n++) {
        if (!machine_at_rest(&s->machine) || s->output_waits || s->begin_waits)
            return;
        if (!begin_next(s))
            return;
    }
    service_post(s, MAIL_LOOK); /* there may be more */
}
