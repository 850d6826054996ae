/* machine - what a service does next, as a pure function: state x event -> state, actions,
 * deadline, the end of the operation that runs. Everything that changes a service goes through it.
 *
 * The state that people see is coarse; these facts refine it:
 * - tree: an instance has been spawned and its TREE_GONE has not come. While it is set nothing may
 *   be spawned, whatever is asked.
 * - main: its main process has not exited.
 * - started: its program runs, the executor is through.
 * - killing: SIGKILL has been sent to the tree; stuck: that did not help.
 * - after: in `stopping`, what follows when the tree is gone.
 * - op: the operation that runs, as far as the machine cares; in `running` only a reload can.
 * - goal_before: what the goal goes back to when the operation is given up.
 *
 * The goal is what is wanted, apart from what is: recovery works towards it, nothing else does.
 *
 * A service that is a systemd unit has cells of its own (unit_machine.c): its state is what systemd
 * tells, and an operation is a job that ends.
 *
 * Threads: none, it is a function. Ownership: plain values. */
#pragma once

#include "model/names.h"

#include <stdbool.h>
#include <stdint.h>

enum machine_event_kind {
    /* An operation begins: none while another runs, and none in `stopping` unless it is stuck. */
    EVENT_BEGIN_START,
    EVENT_BEGIN_RECOVERY, /* an automatic start: only towards the goal, and it resets no attempts */
    EVENT_BEGIN_STOP,
    EVENT_BEGIN_SHUTDOWN, /* a stop that leaves the goal alone */
    EVENT_BEGIN_RESTART,
    EVENT_BEGIN_RELOAD,  /* or a signal */
    EVENT_BEGIN_REFUSED, /* an automatic start could not begin: a dependency failed */
    /* The instance. */
    EVENT_SPAWN_FAILED, /* there is none */
    EVENT_STARTED,
    EVENT_READY,
    EVENT_RELOADED, /* the reload is through, or could not even begin */
    EVENT_MAIN_EXITED,
    EVENT_TREE_GONE,
    /* The unit. */
    EVENT_UNIT_SEEN, /* how it is now: seen, and what is wanted of it where that can be told */
    EVENT_JOB_ENDED, /* the newest request is through; the unit was seen before */
    /* The operation that runs is given up: what it started is stopped. A stop can't be. */
    EVENT_CANCEL,
    EVENT_SUPERSEDE, /* another takes its place */
    EVENT_GIVE_UP,   /* the daemon ends: the goal is kept */
    /* Time. */
    EVENT_OPERATION_DEADLINE,
    EVENT_STATE_DEADLINE, /* the one that the state itself has set */
};
#define EVENT_KINDS (EVENT_STATE_DEADLINE + 1)

struct machine_event {
    enum machine_event_kind kind;
    bool clean; /* MAIN_EXITED: with status 0; RELOADED, JOB_ENDED: well */
    /* UNIT_SEEN: */
    enum service_state seen;
    bool renewed;      /* it is another run of it than the last one seen */
    bool wanted_known; /* somebody has brought it there who was not us, or not through us */
    enum goal wanted;
};

enum machine_op { OP_NONE, OP_START, OP_STOP, OP_RESTART, OP_RELOAD };

enum after {
    AFTER_STOPPED, /* it was to be stopped */
    AFTER_SPAWN,   /* it is restarted: the next instance */
    AFTER_ENDED,   /* it ended by itself or its start failed: recovery decides */
};

struct machine {
    enum service_state state;
    enum goal goal, goal_before;
    bool tree, main, started, killing, stuck;
    bool clean; /* how the main process exited, for AFTER_ENDED */
    enum after after;
    enum machine_op op;
    int64_t attempt; /* automatic starts since it last was stable */
    /* From the configuration. */
    enum readiness_type readiness;
    enum restart_policy restart;
    int64_t attempts; /* 0: for ever */
    /* Of a unit. */
    bool unit;
    bool recovers;        /* systemd starts it again itself: we do not */
    bool touched;         /* the operation has changed it, or let it change */
    bool stop_on_timeout; /* on_timeout = stop */
};

/* What is to be done, in this order. */
enum machine_action {
    ACT_SPAWN = 1,
    ACT_STOP_SIGNAL = 2, /* to the process group, or to all that is left when main has exited */
    ACT_KILL_TREE = 4,
    ACT_QUEUE_RECOVERY = 8,
    ACT_RELOAD = 16,      /* EVENT_RELOADED follows, now or later */
    ACT_KILL_RELOAD = 32, /* of a unit: what was asked last is forgotten */
    ACT_RESTART = 64,     /* of a unit: one job, that those who depend on it see as one */
};

enum state_deadline {
    DEADLINE_KEEP,
    DEADLINE_CLEAR,
    DEADLINE_READY_DELAY,   /* alive for that long is ready */
    DEADLINE_READY_TIMEOUT, /* not ready by then is a failed start */
    DEADLINE_STOP,          /* stop_timeout: then SIGKILL */
    DEADLINE_KILL,          /* look again whether SIGKILL helped */
    DEADLINE_BACKOFF,       /* the next automatic start */
    DEADLINE_STABLE,        /* attempts are forgotten */
};

/* How the operation that ran, or was to begin, ends in this step. */
enum op_end {
    END_NONE,
    END_SUCCEEDED,
    END_FAILED,
    END_TIMED_OUT,
    END_CANCELLED,
    END_SUPERSEDED,
};

enum end_reason {
    BECAUSE_DONE,
    BECAUSE_EXITED_EARLY,
    BECAUSE_SPAWN_FAILED,
    BECAUSE_NOT_READY,
    BECAUSE_DEADLINE,
    BECAUSE_STUCK,
    BECAUSE_GOAL_DOWN,
    BECAUSE_GIVEN_UP,
    BECAUSE_DEPENDENCY,
    BECAUSE_CANCELLED,
    BECAUSE_SUPERSEDED,
    BECAUSE_SHUTDOWN,
    BECAUSE_NOT_RUNNING,
    BECAUSE_EXITED, /* in the middle of a reload */
    BECAUSE_RELOAD_FAILED,
    BECAUSE_JOB, /* of a unit: as systemd says */
};

struct step {
    struct machine next;
    unsigned actions; /* enum machine_action */
    enum state_deadline deadline;
    enum op_end end;
    bool changed; /* with an end: whether anything was done to the service */
    enum end_reason reason;
};

struct step machine_step(const struct machine *m, struct machine_event event);
/* unit_machine.c: the same for a unit; machine_step() comes here. */
struct step unit_machine_step(const struct machine *m, struct machine_event event);

/* Whether the next operation may begin; what is asked of a unit waits at systemd's. */
static inline bool machine_at_rest(const struct machine *m)
{
    return m->op == OP_NONE && (m->unit || m->state != STATE_STOPPING || m->stuck);
}
