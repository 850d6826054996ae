/* The queue of a service, as those see it who ask: taking a place, being committed, being
 * withdrawn. Everything here is short and runs under the service's lock, from any thread. */
#include "base/clock.h"
#include "base/log.h"
#include "depend.h"
#include "end.h"
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int position(const struct service *s, const struct op *op) REQUIRES(service_lock_class)
{
    if (op->record.replaces) /* what stands before it goes, but for a stop that runs */
        return s->active && s->active->record.action == ACTION_STOP;
    return op_queue_position(&s->queue, op) + (s->active && s->active != op->joined_to ? 1 : 0);
}

static bool in_queue(const struct op *op)
{
    return !op->joined_to && op->link.next != &op->link;
}

static void number(struct service *s, struct op *op)
{
    op->record.id = atomic_fetch_add(&s->host->next_id, 1);
    op->record.accepted_utc = clock_utc_us();
    op->record.state = OPERATION_QUEUED;
}

static void push(struct service *s, struct op *op) REQUIRES(service_lock_class)
{
    number(s, op);
    op_queue_push(&s->queue, op_ref(op));
    op->record.position = position(s, op);
    op_index_add(&s->host->operations, op);
}

/* ---- what people ask ---- */

static bool busy(struct service *s, char text[static 96]) REQUIRES(service_lock_class)
{
    enum service_state state = view_of(s).state;
    struct op *head = op_queue_head(&s->queue);

    if (s->active && !operation_ended(&s->active->record))
        snprintf(text, 96, "%s %lld runs, %u wait", action_name(s->active->record.action),
                 (long long)s->active->record.id, s->queue.length);
    else if (head)
        snprintf(text, 96, "%s %lld is about to begin, %u wait behind it",
                 action_name(head->record.action), (long long)head->record.id, s->queue.length - 1);
    else if (state == STATE_STARTING || state == STATE_STOPPING)
        snprintf(text, 96, "it is %s", service_state_name(state));
    else
        return false;
    return true;
}

/* Whether the service has the goal, or is on its way to it. */
static bool has_goal(struct service *s, enum goal goal) REQUIRES(service_lock_class)
{
    int pending = op_queue_goal(&s->queue);
    struct view v = view_of(s);

    if (pending < 0 && s->active)
        pending = action_goal(s->active->record.action);
    if (pending >= 0)
        return pending == (int)goal;
    if (v.goal != goal)
        return false;
    switch (v.state) {
    case STATE_STOPPED:
    case STATE_STOPPING: return goal == GOAL_DOWN;
    case STATE_STARTING:
    case STATE_RUNNING:
    case STATE_BACKOFF: return goal == GOAL_UP;
    case STATE_FAILED: return false;
    }
    __builtin_unreachable();
}

static bool coalesces(const struct service *s, const struct reserve_wish *wish)
    REQUIRES(service_lock_class)
{
    return wish->mode == MODE_QUEUE && (wish->coalesce == COALESCE_YES ||
                                        (wish->coalesce == COALESCE_AS_CONFIGURED && s->coalesces));
}

static enum reserve_result judge(struct service *s, struct op **ops, size_t count,
                                 struct reserve_wish *wish) REQUIRES(service_lock_class)
{
    if (s->closing)
        return RESERVE_CLOSING;
    for (size_t i = 0; i < count; i++) {
        enum action action = ops[i]->record.action;

        if (s->refused && action != ACTION_STOP)
            return RESERVE_REFUSED;
        if (action == ACTION_RELOAD && !s->can_reload)
            return RESERVE_NO_RELOAD;
        if (wish->only_if_needed && has_goal(s, (enum goal)action_goal(action)))
            return RESERVE_NOT_NEEDED;
    }
    if ((int64_t)count > s->queue_limit && !coalesces(s, wish))
        return RESERVE_NEVER;
    if (wish->mode == MODE_FAIL && busy(s, wish->busy))
        return RESERVE_BUSY;
    return RESERVED;
}

/* False: the queue is full. */
static bool take_place(struct service *s, struct op *op, const struct reserve_wish *wish)
    REQUIRES(service_lock_class)
{
    struct op *target;

    if (op->record.timeout_us == 0)
        op->record.timeout_us = s->default_timeout_us;
    op->record.replaces = wish->mode == MODE_REPLACE;
    target = coalesces(s, wish) ? op_queue_joinable(&s->queue, op) : NULL;
    if (target) {
        number(s, op);
        op_join(target, op_ref(op));
        op->record.position = position(s, op);
        op_index_add(&s->host->operations, op);
    } else {
        /* what replaces the others needs no room among them */
        if ((int64_t)s->queue.people >= s->queue_limit && wish->mode != MODE_REPLACE)
            return false;
        push(s, op);
    }
    if (wish->batch) {
        if (*wish->batch == 0)
            *wish->batch = op->record.id;
        op->record.batch = *wish->batch;
    }
    return true;
}

/* Nobody has seen it yet. */
static void give_back(struct service *s, struct op *op) REQUIRES(service_lock_class)
{
    if (!op_leave(op))
        op_queue_promote(&s->queue, op);
}

enum reserve_result service_reserve(struct service *s, struct op **ops, size_t count,
                                    struct reserve_wish *wish)
{
    enum reserve_result result;
    size_t taken = 0;

    service_lock(s);
    result = judge(s, ops, count, wish);
    while (result == RESERVED && taken < count) {
        if (take_place(s, ops[taken], wish))
            taken++;
        else
            result = RESERVE_FULL;
    }
    for (size_t i = taken; result != RESERVED && i > 0; i--)
        give_back(s, ops[i - 1]);
    service_unlock(s);
    if (result == RESERVED)
        return result;
    for (size_t i = 0; i < taken; i++) {
        op_index_remove(&s->host->operations, ops[i]);
        op_unref(ops[i]); /* the queue's */
    }
    return result;
}

bool service_committed(struct service *s, struct op *op)
{
    bool open;

    service_lock(s);
    op->committed = true;
    open = !s->closing || (op_automatic(op) && op->record.action == ACTION_STOP);
    service_post_locked(s, MAIL_LOOK);
    service_unlock(s);
    return open;
}

void service_requeue(struct service *s, struct op *op)
{
    struct op *target = NULL;

    service_lock(s);
    list_for_each(link, &s->queue.ops)
    {
        struct op *waits = list_entry(link, struct op, link);

        /* the one that it joined, or the first of those that joined that */
        if (op->record.coalesced_into && (waits->record.id == op->record.coalesced_into ||
                                          waits->stands_for == op->record.coalesced_into))
            target = waits;
    }
    op_ref(op);
    if (target) {
        op_join(target, op);
    } else {
        op->stands_for = op->record.coalesced_into; /* that was cancelled */
        op->record.coalesced_into = 0;
        op_queue_push(&s->queue, op);
    }
    service_unlock(s);
}

/* How many of people's operations wait no more once op has gone, with those that joined it. */
static int people_in(const struct op *op, enum withdraw how)
{
    int count = !op_automatic(op);

    if (how == WITHDRAW_ALONG)
        list_for_each(link, &op->joined) count++;
    return op->record.state == OPERATION_QUEUED ? count : 0;
}

bool service_withdraw(struct service *s, struct op *op, enum withdraw how)
{
    bool mine = false;
    int people = 0;
    int64_t along;

    service_lock(s);
    if (operation_ended(&op->record)) {
        mine = false; /* with the one that it joined */
    } else if (op->joined_to) {
        along = op->record.started_utc ? op->record.coalesced_into : 0;
        people = people_in(op, WITHDRAW_ALONE);
        mine = op_leave(op);
        op->record.coalesced_into = along; /* it never ran by itself */
    } else if (in_queue(op)) {
        mine = true;
        if (how == WITHDRAW_ALONG) {
            op_queue_part(&s->queue, op);
            people = people_in(op, how);
            op_queue_remove(&s->queue, op);
        } else {
            people = people_in(op, how);
            op_queue_promote(&s->queue, op);
        }
    }
    if (mine)
        service_post_locked(s, MAIL_LOOK); /* what stood behind it may begin */
    service_unlock(s);
    atomic_fetch_sub(&s->host->people_waiting, people);
    return mine;
}

bool service_post_cancel(struct service *s, struct op *op, char *text)
{
    struct enclosure *in = NULL;
    bool runs;

    service_lock(s);
    runs = s->active == op && op->record.action != ACTION_STOP && !operation_ended(&op->record);
    if (runs)
        in = service_enclosed(s);
    runs = in != NULL;
    if (in) {
        free(in->cancel_text);
        in->cancel_text = text;
        in->cancel = op->record.id;
        service_post_locked(s, MAIL_CANCEL);
    }
    service_unlock(s);
    if (!runs)
        free(text);
    return runs;
}

/* ---- what the supervisor wants ---- */

struct op *service_push_automatic(struct service *s, enum action action, enum origin origin)
{
    struct op *op = op_new(s, s->name, action, origin, "supervisor", 0), *waits;

    if (!op) {
        log_error("%s: out of memory: it gets no %s (%s)", s->name, action_name(action),
                  name_of(&origin_names, (int)origin));
        return NULL;
    }
    service_lock(s);
    waits = action == ACTION_START ? op_queue_automatic_start(&s->queue) : NULL;
    if (waits) {
        op_ref(waits);
    } else if (action == ACTION_STOP || (!s->closing && !s->refused)) {
        op->record.timeout_us = s->default_timeout_us;
        push(s, op);
    } else {
        op_unref(op);
        op = NULL;
    }
    service_unlock(s);
    if (waits) {
        op_unref(op);
        return waits;
    }
    if (op) {
        op_accepted(op); /* before it may begin: the journal's rows must come in this order */
        if (!service_committed(s, op))
            op_cancel_queued(op, "the service is being closed");
    }
    return op;
}

/* ---- looking ---- */

bool service_announced(struct op *op)
{
    bool announced;

    service_lock(op->service);
    announced = op->announced;
    service_unlock(op->service);
    return announced;
}

bool service_visible(struct op *op)
{
    bool visible;

    service_lock(op->service);
    visible = op->committed;
    service_unlock(op->service);
    return visible;
}

int service_copy_operation(struct op *op, struct operation *ret_operation)
{
    struct service *s = op->service;
    int result;

    service_lock(s);
    result = operation_copy(ret_operation, &op->record);
    if (result == 0)
        ret_operation->position = op->record.state == OPERATION_QUEUED && op->link.next != &op->link
                                      ? position(s, op)
                                      : 0;
    service_unlock(s);
    return result;
}
