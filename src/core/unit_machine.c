/* The cells of a service that is a systemd unit. Its state is what systemd tells, whoever has
 * brought it there; an operation is a job that is asked for and ends, and meanwhile the state
 * follows. In `backoff` the unit has failed and we bring it back, unless systemd does so itself. */
#include "machine.h"

static struct step stay(const struct machine *m)
{
    return (struct step){.next = *m};
}

static struct step answer(const struct machine *m, enum op_end end, enum end_reason reason)
{
    struct step s = stay(m);

    s.end = end;
    s.reason = reason;
    return s;
}

/* Our own, and not systemd's. */
static bool in_our_backoff(const struct machine *m)
{
    return m->state == STATE_BACKOFF && !m->recovers;
}

/* Whatever the state seems to be: only systemd knows what it is at this moment. */
static struct step ask(const struct machine *m, enum machine_op op, enum machine_action action)
{
    struct step s = stay(m);

    if (in_our_backoff(m)) {
        s.next.state = STATE_FAILED;
        s.deadline = DEADLINE_CLEAR;
    }
    s.next.goal_before = m->goal;
    s.next.op = op;
    s.next.touched = false;
    s.actions = action;
    return s;
}

static struct step begin_start(const struct machine *m, enum machine_op op)
{
    struct step s = ask(m, op, op == OP_RESTART ? ACT_RESTART : ACT_SPAWN);

    s.next.goal = GOAL_UP;
    s.next.attempt = 0;
    return s;
}

static struct step begin_stop(const struct machine *m, enum goal goal)
{
    struct step s = ask(m, OP_STOP, ACT_STOP_SIGNAL);

    s.next.goal = goal;
    return s;
}

static struct step begin_recovery(const struct machine *m)
{
    if (m->goal == GOAL_DOWN)
        return answer(m, END_CANCELLED, BECAUSE_GOAL_DOWN);
    switch (m->state) {
    case STATE_RUNNING: return answer(m, END_SUCCEEDED, BECAUSE_DONE);
    case STATE_FAILED: return answer(m, END_CANCELLED, BECAUSE_GIVEN_UP);
    case STATE_STOPPED:
    case STATE_STARTING:
    case STATE_STOPPING:
    case STATE_BACKOFF: return ask(m, OP_START, ACT_SPAWN);
    }
    __builtin_unreachable();
}

static struct step begin_reload(const struct machine *m)
{
    switch (m->state) {
    case STATE_RUNNING: return ask(m, OP_RELOAD, ACT_RELOAD);
    case STATE_STOPPED:
    case STATE_STARTING:
    case STATE_STOPPING:
    case STATE_BACKOFF:
    case STATE_FAILED: return answer(m, END_FAILED, BECAUSE_NOT_RUNNING);
    }
    __builtin_unreachable();
}

/* Nothing is asked for any more: what has failed is brought back, if that is ours to do. */
static struct step settle(struct step s)
{
    struct machine *m = &s.next;

    if (m->state == STATE_RUNNING && m->attempt > 0)
        s.deadline = DEADLINE_STABLE;
    if (m->state != STATE_FAILED || m->goal == GOAL_DOWN || m->recovers ||
        m->restart == RESTART_NO || (m->attempts > 0 && m->attempt >= m->attempts))
        return s;
    m->state = STATE_BACKOFF;
    m->attempt++;
    s.deadline = DEADLINE_BACKOFF;
    return s;
}

static struct step seen(const struct machine *m, const struct machine_event *event)
{
    struct step s = stay(m);
    bool ended = event->seen == STATE_FAILED || event->seen == STATE_STOPPED;

    if (in_our_backoff(m) && ended && !(event->wanted_known && event->wanted == GOAL_DOWN))
        return s; /* it is still as it was */
    s.next.state = event->seen;
    if (m->op != OP_NONE) {
        s.next.touched = m->touched || event->renewed || event->seen != m->state;
        return s;
    }
    if (event->wanted_known)
        s.next.goal = event->wanted;
    if (event->seen == m->state)
        return s;
    s.deadline = DEADLINE_CLEAR;
    return settle(s);
}

static struct step end(const struct machine *m, enum op_end how, enum end_reason reason)
{
    struct step s = answer(m, how, reason);

    s.next.op = OP_NONE;
    s.changed = m->touched || (m->op == OP_RELOAD && how != END_FAILED);
    return s;
}

/* A start that has left it stopped ran to its end, or was undone by somebody: nothing is wanted any
 * more. One that could not even begin leaves what is wanted as it is. */
static struct step job_ended(const struct machine *m, bool well, enum end_reason reason)
{
    struct step s;

    if (m->op == OP_NONE)
        return stay(m); /* given up meanwhile */
    s = end(m, well ? END_SUCCEEDED : END_FAILED, reason);
    if ((well || m->touched) && m->state == STATE_STOPPED &&
        (m->op == OP_START || m->op == OP_RESTART))
        s.next.goal = GOAL_DOWN;
    return settle(s);
}

static struct step give_up(const struct machine *m, enum op_end how, enum end_reason reason)
{
    struct step s;

    switch (m->op) {
    case OP_NONE:
    case OP_STOP: return stay(m);
    case OP_RELOAD:
        s = end(m, how, reason);
        s.actions = ACT_KILL_RELOAD;
        return s;
    case OP_START:
    case OP_RESTART:
        s = end(m, how, reason);
        s.changed = true;
        if (reason == BECAUSE_SHUTDOWN) { /* units do not end with us */
            s.actions = ACT_KILL_RELOAD;
            return s;
        }
        s.next.goal = m->goal_before;
        s.actions = ACT_STOP_SIGNAL;
        return s;
    }
    __builtin_unreachable();
}

static struct step too_late(const struct machine *m)
{
    struct step s;

    if (m->op == OP_NONE)
        return stay(m);
    s = end(m, END_TIMED_OUT, BECAUSE_DEADLINE);
    s.actions = m->stop_on_timeout && (m->op == OP_START || m->op == OP_RESTART) ? ACT_STOP_SIGNAL
                                                                                 : ACT_KILL_RELOAD;
    return settle(s);
}

/* An automatic start that a dependency forbids: a failed attempt. */
static struct step refused(const struct machine *m)
{
    struct step s = answer(m, END_FAILED, BECAUSE_DEPENDENCY);

    switch (m->state) {
    case STATE_STOPPED:
    case STATE_BACKOFF:
    case STATE_FAILED:
        s.next.state = STATE_FAILED;
        s.deadline = DEADLINE_CLEAR;
        return settle(s);
    case STATE_STARTING:
    case STATE_RUNNING:
    case STATE_STOPPING: return s;
    }
    __builtin_unreachable();
}

static struct step state_deadline(const struct machine *m)
{
    struct step s = stay(m);

    switch (m->state) {
    case STATE_BACKOFF:
        if (in_our_backoff(m))
            s.actions = ACT_QUEUE_RECOVERY;
        s.deadline = DEADLINE_CLEAR;
        return s;
    case STATE_RUNNING:
        s.next.attempt = 0;
        s.deadline = DEADLINE_CLEAR;
        return s;
    case STATE_STOPPED: /* these set none */
    case STATE_STARTING:
    case STATE_STOPPING:
    case STATE_FAILED: return s;
    }
    __builtin_unreachable();
}

struct step unit_machine_step(const struct machine *m, struct machine_event event)
{
    switch (event.kind) {
    case EVENT_BEGIN_START: return begin_start(m, OP_START);
    case EVENT_BEGIN_RESTART: return begin_start(m, OP_RESTART);
    case EVENT_BEGIN_RECOVERY: return begin_recovery(m);
    case EVENT_BEGIN_STOP: return begin_stop(m, GOAL_DOWN);
    case EVENT_BEGIN_SHUTDOWN: return begin_stop(m, m->goal);
    case EVENT_BEGIN_RELOAD: return begin_reload(m);
    case EVENT_BEGIN_REFUSED: return refused(m);
    case EVENT_UNIT_SEEN: return seen(m, &event);
    case EVENT_JOB_ENDED: return job_ended(m, event.clean, BECAUSE_JOB);
    case EVENT_SPAWN_FAILED: return job_ended(m, false, BECAUSE_SPAWN_FAILED);
    case EVENT_RELOADED: return job_ended(m, event.clean, BECAUSE_RELOAD_FAILED);
    case EVENT_CANCEL: return give_up(m, END_CANCELLED, BECAUSE_CANCELLED);
    case EVENT_SUPERSEDE: return give_up(m, END_SUPERSEDED, BECAUSE_SUPERSEDED);
    case EVENT_GIVE_UP: return give_up(m, END_CANCELLED, BECAUSE_SHUTDOWN);
    case EVENT_OPERATION_DEADLINE: return too_late(m);
    case EVENT_STATE_DEADLINE: return state_deadline(m);
    case EVENT_STARTED: /* cannot happen: of processes */
    case EVENT_READY:
    case EVENT_MAIN_EXITED:
    case EVENT_TREE_GONE: return stay(m);
    }
    __builtin_unreachable();
}
