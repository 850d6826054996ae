/* The machine on one page: event outer, state inner, every cell spelled, no default. */
#include "machine.h"

static struct step stay(const struct machine *m)
{
    return (struct step){.next = *m};
}

/* A step in which an operation that was to begin ends at once. */
static struct step answer(const struct machine *m, enum op_end end, enum end_reason reason)
{
    struct step s = stay(m);

    s.end = end;
    s.reason = reason;
    return s;
}

static struct step spawn(const struct machine *m, enum machine_op op)
{
    struct step s = stay(m);

    s.next.state = STATE_STARTING;
    s.next.op = op;
    s.next.tree = s.next.main = true;
    s.next.started = s.next.killing = s.next.stuck = false;
    s.actions = ACT_SPAWN;
    s.deadline = DEADLINE_CLEAR;
    return s;
}

static struct step begin_start(const struct machine *m, enum machine_op op)
{
    struct machine up = *m;

    up.goal_before = m->goal;
    up.goal = GOAL_UP;
    up.attempt = 0;
    return spawn(&up, op);
}

static struct step stop(const struct machine *m, enum machine_op op, enum after after)
{
    struct step s = stay(m);

    s.next.state = STATE_STOPPING;
    s.next.op = op;
    s.next.after = after;
    s.next.clean = false;
    s.next.killing = false;
    s.actions = ACT_STOP_SIGNAL;
    s.deadline = DEADLINE_STOP;
    return s;
}

static struct step begin_stop(const struct machine *m, enum goal goal)
{
    struct machine wanted = *m;
    struct step s;

    wanted.goal = goal;
    switch (m->state) {
    case STATE_STOPPED: return answer(&wanted, END_SUCCEEDED, BECAUSE_DONE);
    case STATE_BACKOFF:
    case STATE_FAILED:
        s = answer(&wanted, END_SUCCEEDED, BECAUSE_DONE);
        s.next.state = STATE_STOPPED;
        s.changed = true;
        s.deadline = DEADLINE_CLEAR;
        return s;
    case STATE_STARTING:
    case STATE_RUNNING: return stop(&wanted, OP_STOP, AFTER_STOPPED);
    case STATE_STOPPING: /* stuck: try once more, and wait for it */
        s = stay(&wanted);
        s.next.op = OP_STOP;
        s.next.after = AFTER_STOPPED;
        s.actions = ACT_KILL_TREE;
        s.deadline = DEADLINE_KILL;
        return s;
    }
    __builtin_unreachable();
}

static struct step become_ready(const struct machine *m)
{
    struct step s = stay(m);

    s.next.state = STATE_RUNNING;
    s.next.op = OP_NONE;
    s.deadline = m->attempt > 0 ? DEADLINE_STABLE : DEADLINE_CLEAR;
    if (m->op != OP_NONE) {
        s.end = END_SUCCEEDED;
        s.changed = true;
    }
    return s;
}

/* The tree is gone, or never was, and nobody had asked for that: what now? */
static struct step settle_ended(const struct machine *m, enum end_reason reason)
{
    struct step s = stay(m);
    bool wanted = m->restart == RESTART_ALWAYS || (m->restart == RESTART_ON_FAILURE && !m->clean);

    s.next.tree = s.next.main = s.next.killing = s.next.stuck = false;
    s.next.op = OP_NONE;
    s.deadline = DEADLINE_CLEAR;
    s.reason = reason;
    if (m->op != OP_NONE) {
        s.end = END_FAILED;
        s.changed = reason == BECAUSE_EXITED_EARLY || m->op == OP_RESTART;
    }
    if (m->goal == GOAL_DOWN) {
        s.next.state = STATE_STOPPED;
    } else if (wanted && (m->attempts == 0 || m->attempt < m->attempts)) {
        s.next.state = STATE_BACKOFF;
        s.next.attempt++;
        s.deadline = DEADLINE_BACKOFF;
    } else if (!wanted && m->clean) {
        s.next.state = STATE_STOPPED; /* it has done its work */
        s.next.goal = GOAL_DOWN;
    } else {
        s.next.state = STATE_FAILED;
    }
    return s;
}

static struct step tree_gone(const struct machine *m)
{
    struct machine gone = *m;
    struct step s;

    gone.tree = gone.main = gone.killing = gone.stuck = false;
    switch (m->after) {
    case AFTER_SPAWN: return spawn(&gone, m->op);
    case AFTER_ENDED: return settle_ended(&gone, BECAUSE_EXITED_EARLY);
    case AFTER_STOPPED:
        s = stay(&gone);
        s.next.state = STATE_STOPPED;
        s.next.op = OP_NONE;
        s.deadline = DEADLINE_CLEAR;
        if (m->op != OP_NONE) {
            s.end = END_SUCCEEDED;
            s.changed = true;
        }
        return s;
    }
    __builtin_unreachable();
}

/* What is left after the main process gets the stop signal, then stop_timeout, then SIGKILL. A
 * reload has nobody left to reach. */
static struct step main_exited(const struct machine *m, bool clean)
{
    struct step s = stop(m, m->op == OP_RELOAD ? OP_NONE : m->op, AFTER_ENDED);

    if (m->op == OP_RELOAD) {
        s.end = END_FAILED;
        s.reason = BECAUSE_EXITED;
        s.changed = true;
    }
    s.next.main = false;
    s.next.clean = clean;
    return s;
}

/* The start is given up: its instance is cleaned away and counts as a failed attempt. */
static struct step give_up_start(const struct machine *m, enum op_end end, enum end_reason reason)
{
    struct step s = stop(m, OP_NONE, AFTER_ENDED);

    if (m->op != OP_NONE) {
        s.end = end;
        s.changed = true;
        s.reason = reason;
    }
    return s;
}

/* In `stopping` the operation ends and the cleaning up goes on. */
static struct step give_up_stopping(const struct machine *m, enum op_end end,
                                    enum end_reason reason)
{
    struct step s = answer(m, end, reason);

    s.next.op = OP_NONE;
    s.changed = true;
    if (m->after == AFTER_SPAWN) {
        s.next.after = AFTER_ENDED;
        s.next.clean = false;
    }
    return s;
}

/* A reload leaves the service alone, however it ends. */
static struct step end_reload(const struct machine *m, enum op_end end, enum end_reason reason)
{
    struct step s = answer(m, end, reason);

    s.next.op = OP_NONE;
    s.changed = true;
    s.actions = reason == BECAUSE_DONE || reason == BECAUSE_RELOAD_FAILED ? 0 : ACT_KILL_RELOAD;
    return s;
}

static struct step give_up(const struct machine *m, enum op_end end, enum end_reason reason)
{
    struct machine back = *m;

    if (m->op == OP_NONE || m->op == OP_STOP)
        return stay(m);
    if (m->op != OP_RELOAD && reason != BECAUSE_SHUTDOWN)
        back.goal = m->goal_before;
    switch (m->state) {
    case STATE_STARTING: return give_up_start(&back, end, reason);
    case STATE_STOPPING: return give_up_stopping(&back, end, reason);
    case STATE_RUNNING: return end_reload(m, end, reason);
    case STATE_STOPPED: /* cannot happen: no operation runs in these */
    case STATE_BACKOFF:
    case STATE_FAILED: return stay(m);
    }
    __builtin_unreachable();
}

static struct step kill_tree(const struct machine *m)
{
    struct step s = stay(m);

    s.next.stuck = m->killing; /* SIGKILL was sent a while ago, and it is still there */
    s.next.killing = true;
    s.actions = ACT_KILL_TREE;
    s.deadline = DEADLINE_KILL;
    return s;
}

struct step machine_step(const struct machine *m, struct machine_event event)
{
    struct step s;

    if (m->unit)
        return unit_machine_step(m, event);
    switch (event.kind) {
    case EVENT_BEGIN_START:
    case EVENT_BEGIN_RESTART:
        switch (m->state) {
        case STATE_STOPPED:
        case STATE_BACKOFF:
        case STATE_FAILED:
            return begin_start(m, event.kind == EVENT_BEGIN_START ? OP_START : OP_RESTART);
        case STATE_STARTING:
        case STATE_RUNNING:
            if (event.kind == EVENT_BEGIN_RESTART) {
                s = stop(m, OP_RESTART, AFTER_SPAWN);
                s.next.attempt = 0;
            } else if (m->state == STATE_STARTING) { /* adopted: wait with it */
                s = stay(m);
                s.next.op = OP_START;
            } else {
                s = answer(m, END_SUCCEEDED, BECAUSE_DONE);
            }
            s.next.goal_before = m->goal;
            s.next.goal = GOAL_UP;
            return s;
        case STATE_STOPPING: return answer(m, END_FAILED, BECAUSE_STUCK);
        }
        break;
    case EVENT_BEGIN_RECOVERY:
        if (m->goal == GOAL_DOWN)
            return answer(m, END_CANCELLED, BECAUSE_GOAL_DOWN);
        switch (m->state) {
        case STATE_STOPPED:
        case STATE_BACKOFF:
            s = spawn(m, OP_START);
            s.next.goal_before = m->goal;
            return s;
        case STATE_STARTING:
            s = stay(m);
            s.next.op = OP_START;
            s.next.goal_before = m->goal;
            return s;
        case STATE_RUNNING: return answer(m, END_SUCCEEDED, BECAUSE_DONE);
        case STATE_STOPPING: return answer(m, END_FAILED, BECAUSE_STUCK);
        case STATE_FAILED: return answer(m, END_CANCELLED, BECAUSE_GIVEN_UP);
        }
        break;
    case EVENT_BEGIN_STOP: return begin_stop(m, GOAL_DOWN);
    case EVENT_BEGIN_SHUTDOWN: return begin_stop(m, m->goal);
    case EVENT_BEGIN_RELOAD:
        switch (m->state) {
        case STATE_RUNNING:
            s = stay(m);
            s.next.op = OP_RELOAD;
            s.actions = ACT_RELOAD;
            return s;
        case STATE_STOPPED:
        case STATE_STARTING:
        case STATE_BACKOFF:
        case STATE_FAILED: return answer(m, END_FAILED, BECAUSE_NOT_RUNNING);
        case STATE_STOPPING: return answer(m, END_FAILED, BECAUSE_STUCK);
        }
        break;
    case EVENT_BEGIN_REFUSED:
        switch (m->state) {
        case STATE_STOPPED:
        case STATE_BACKOFF:
        case STATE_FAILED: {
            struct machine failed = *m;

            failed.op = OP_START;
            failed.clean = false;
            return settle_ended(&failed, BECAUSE_DEPENDENCY);
        }
        case STATE_STARTING: /* these hold an instance: nothing of it is touched */
        case STATE_RUNNING:
        case STATE_STOPPING: return answer(m, END_FAILED, BECAUSE_DEPENDENCY);
        }
        break;
    case EVENT_SPAWN_FAILED:
        switch (m->state) {
        case STATE_STARTING: {
            struct machine failed = *m;

            failed.clean = false;
            return settle_ended(&failed, BECAUSE_SPAWN_FAILED);
        }
        case STATE_STOPPED: /* cannot happen: only `starting` spawns, and it is told at once */
        case STATE_RUNNING:
        case STATE_STOPPING:
        case STATE_BACKOFF:
        case STATE_FAILED: return stay(m);
        }
        break;
    case EVENT_STARTED:
        s = stay(m);
        switch (m->state) {
        case STATE_STARTING:
            if (m->started) /* adopted: only its pid was not known */
                return s;
            s.next.started = true;
            switch (m->readiness) {
            case READINESS_IMMEDIATE: return become_ready(&s.next);
            case READINESS_DELAY: s.deadline = DEADLINE_READY_DELAY; return s;
            case READINESS_FD: s.deadline = DEADLINE_READY_TIMEOUT; return s;
            }
            break;
        case STATE_STOPPING: s.next.started = true; return s; /* given up meanwhile */
        case STATE_STOPPED:                                   /* cannot happen: no instance */
        case STATE_RUNNING:
        case STATE_BACKOFF:
        case STATE_FAILED: return s;
        }
        break;
    case EVENT_READY:
        switch (m->state) {
        case STATE_STARTING: return become_ready(m);
        case STATE_RUNNING:  /* told twice */
        case STATE_STOPPING: /* too late */
        case STATE_STOPPED:  /* cannot happen: no instance */
        case STATE_BACKOFF:
        case STATE_FAILED: return stay(m);
        }
        break;
    case EVENT_RELOADED:
        if (m->op != OP_RELOAD) /* given up meanwhile */
            return stay(m);
        return event.clean ? end_reload(m, END_SUCCEEDED, BECAUSE_DONE)
                           : end_reload(m, END_FAILED, BECAUSE_RELOAD_FAILED);
    case EVENT_MAIN_EXITED:
        switch (m->state) {
        case STATE_STARTING:
        case STATE_RUNNING: return main_exited(m, event.clean);
        case STATE_STOPPING:
            s = stay(m);
            s.next.main = false;
            s.actions = m->killing ? 0 : ACT_STOP_SIGNAL;
            return s;
        case STATE_STOPPED: /* cannot happen: no instance */
        case STATE_BACKOFF:
        case STATE_FAILED: return stay(m);
        }
        break;
    case EVENT_TREE_GONE:
        switch (m->state) {
        case STATE_STOPPING: return tree_gone(m);
        case STATE_STARTING: /* cannot happen: MAIN_EXITED comes first */
        case STATE_RUNNING: return settle_ended(m, BECAUSE_EXITED_EARLY);
        case STATE_STOPPED: /* cannot happen: no instance */
        case STATE_BACKOFF:
        case STATE_FAILED: return stay(m);
        }
        break;
    case EVENT_UNIT_SEEN: /* cannot happen: of units */
    case EVENT_JOB_ENDED: return stay(m);
    case EVENT_CANCEL: return give_up(m, END_CANCELLED, BECAUSE_CANCELLED);
    case EVENT_SUPERSEDE: return give_up(m, END_SUPERSEDED, BECAUSE_SUPERSEDED);
    case EVENT_GIVE_UP: return give_up(m, END_CANCELLED, BECAUSE_SHUTDOWN);
    case EVENT_OPERATION_DEADLINE:
        if (m->op == OP_NONE)
            return stay(m);
        switch (m->state) {
        case STATE_STARTING: return give_up_start(m, END_TIMED_OUT, BECAUSE_DEADLINE);
        case STATE_STOPPING: return give_up_stopping(m, END_TIMED_OUT, BECAUSE_DEADLINE);
        case STATE_RUNNING: return end_reload(m, END_TIMED_OUT, BECAUSE_DEADLINE);
        case STATE_STOPPED: /* cannot happen: no operation runs in these */
        case STATE_BACKOFF:
        case STATE_FAILED: return stay(m);
        }
        break;
    case EVENT_STATE_DEADLINE:
        s = stay(m);
        switch (m->state) {
        case STATE_STARTING:
            if (!m->started)
                return s; /* cannot happen: it is set by STARTED */
            if (m->readiness == READINESS_DELAY)
                return become_ready(m);
            return give_up_start(m, END_FAILED, BECAUSE_NOT_READY);
        case STATE_RUNNING:
            s.next.attempt = 0;
            s.deadline = DEADLINE_CLEAR;
            return s;
        case STATE_STOPPING: return kill_tree(m);
        case STATE_BACKOFF:
            s.actions = ACT_QUEUE_RECOVERY;
            s.deadline = DEADLINE_CLEAR;
            return s;
        case STATE_STOPPED: /* cannot happen: these set none */
        case STATE_FAILED: return s;
        }
        break;
    }
    __builtin_unreachable();
}
