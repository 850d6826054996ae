/* machine.pml - src/core/machine.c, cell by cell, for readiness = fd and restart = on-failure, as
 * far as starts, stops, restarts and recovery go. machine_step() changes the machine in place;
 * what the step asks for stands in ask_*, and whoever includes this obeys and clears it.
 *
 * The names are those of machine.c. Reload, signal and shutdown are left out. */

#ifndef ATTEMPTS
#define ATTEMPTS 1
#endif

mtype:action = { START, STOP, RESTART };
mtype:state = { STOPPED, STARTING, RUNNING, STOPPING, BACKOFF, FAILED };
mtype:op = { OP_NONE, OP_START, OP_STOP, OP_RESTART };
mtype:after = { AFTER_STOPPED, AFTER_SPAWN, AFTER_ENDED };
mtype:event = { NOTHING, BEGIN_START, BEGIN_RECOVERY, BEGIN_STOP, BEGIN_RESTART, SPAWN_FAILED,
                READY, MAIN_EXITED, TREE_GONE, CANCEL, SUPERSEDE, OPERATION_DEADLINE,
                STATE_DEADLINE };
mtype:end = { END_NONE, SUCCEEDED, ENDED_BADLY, TIMED_OUT, CANCELLED, SUPERSEDED };
mtype:due = { KEEP, CLEAR, SET };

mtype:state state = STOPPED;
mtype:op op = OP_NONE;
mtype:after after = AFTER_STOPPED;
bool up = false;        /* the goal */
bool up_before = false; /* goal_before */
bool tree = false;
bool killing = false;
bool stuck = false;
bool clean = false;
byte attempt = 0;

bool ask_spawn = false;
bool ask_signal = false;
bool ask_kill = false;
bool ask_recovery = false;
mtype:due ask_due = KEEP;
mtype:end ask_end = END_NONE;

#define AT_REST (op == OP_NONE && (state != STOPPING || stuck))

inline m_spawn(which)
{
    state = STARTING;
    op = which;
    tree = true;
    killing = false;
    stuck = false;
    ask_spawn = true;
    ask_due = CLEAR
}

inline m_stop(which, then)
{
    state = STOPPING;
    op = which;
    after = then;
    clean = false;
    killing = false;
    ask_signal = true;
    ask_due = SET
}

inline m_begin_start(which)
{
    up_before = up;
    up = true;
    attempt = 0;
    m_spawn(which)
}

inline m_begin_stop()
{
    up = false;
    if
    :: state == STOPPED -> ask_end = SUCCEEDED
    :: state == BACKOFF || state == FAILED ->
        ask_end = SUCCEEDED;
        state = STOPPED;
        ask_due = CLEAR
    :: state == STARTING || state == RUNNING -> m_stop(OP_STOP, AFTER_STOPPED)
    :: state == STOPPING -> /* stuck */
        op = OP_STOP;
        after = AFTER_STOPPED;
        ask_kill = true;
        ask_due = SET
    fi
}

inline m_settle_ended()
{
    tree = false;
    killing = false;
    stuck = false;
    ask_due = CLEAR;
    if
    :: op != OP_NONE -> ask_end = ENDED_BADLY
    :: else
    fi;
    op = OP_NONE;
    if
    :: !up -> state = STOPPED
    :: up && !clean && attempt < ATTEMPTS ->
        state = BACKOFF;
        attempt++;
        ask_due = SET
    :: up && clean ->
        state = STOPPED;
        up = false
    :: else -> state = FAILED
    fi;
    clean = false /* not read again before a main process exits */
}

inline m_tree_gone()
{
    tree = false;
    killing = false;
    stuck = false;
    if
    :: after == AFTER_SPAWN -> m_spawn(op)
    :: after == AFTER_ENDED -> m_settle_ended()
    :: after == AFTER_STOPPED ->
        state = STOPPED;
        ask_due = CLEAR;
        if
        :: op != OP_NONE -> ask_end = SUCCEEDED
        :: else
        fi;
        op = OP_NONE
    fi;
    if
    :: after != AFTER_STOPPED && state != STARTING -> after = AFTER_STOPPED /* nor is this */
    :: else
    fi
}

inline m_give_up_start(how)
{
    if
    :: op != OP_NONE -> ask_end = how
    :: else
    fi;
    m_stop(OP_NONE, AFTER_ENDED)
}

inline m_give_up_stopping(how)
{
    op = OP_NONE;
    ask_end = how;
    if
    :: after == AFTER_SPAWN ->
        after = AFTER_ENDED;
        clean = false
    :: else
    fi
}

/* CANCEL and SUPERSEDE; a stop can't be. */
inline m_give_up(how)
{
    if
    :: op == OP_NONE || op == OP_STOP -> skip
    :: else ->
        up = up_before;
        if
        :: state == STARTING -> m_give_up_start(how)
        :: state == STOPPING -> m_give_up_stopping(how)
        fi
    fi
}

inline m_become_ready()
{
    state = RUNNING;
    ask_due = (attempt > 0 -> SET : CLEAR);
    if
    :: op != OP_NONE -> ask_end = SUCCEEDED
    :: else
    fi;
    op = OP_NONE
}

inline m_state_deadline()
{
    if
    :: state == STARTING -> m_give_up_start(ENDED_BADLY)
    :: state == RUNNING ->
        attempt = 0;
        ask_due = CLEAR
    :: state == STOPPING ->
        stuck = killing;
        killing = true;
        ask_kill = true;
        ask_due = SET
    :: state == BACKOFF ->
        ask_recovery = true;
        ask_due = CLEAR
    :: else
    fi
}

inline m_begin_recovery()
{
    if
    :: !up -> ask_end = CANCELLED
    :: up && (state == STOPPED || state == BACKOFF) ->
        m_spawn(OP_START);
        up_before = up
    :: up && state == STARTING -> assert(false) /* what was adopted has no recovery */
    :: up && state == RUNNING -> ask_end = SUCCEEDED
    :: up && state == STOPPING -> ask_end = ENDED_BADLY
    :: up && state == FAILED -> assert(false) /* a recovery that waits has an attempt left */
    fi
}

inline m_begin_up(event)
{
    if
    :: state == STOPPED || state == BACKOFF || state == FAILED ->
        m_begin_start((event == BEGIN_START -> OP_START : OP_RESTART))
    :: state == STOPPING -> ask_end = ENDED_BADLY /* stuck */
    :: state == STARTING || state == RUNNING ->
        up_before = up;
        up = true;
        if
        :: event == BEGIN_RESTART ->
            m_stop(OP_RESTART, AFTER_SPAWN);
            attempt = 0
        :: event == BEGIN_START && state == STARTING -> op = OP_START /* adopted */
        :: event == BEGIN_START && state == RUNNING -> ask_end = SUCCEEDED
        fi
    fi
}

inline m_main_exited()
{
    if
    :: state == STARTING || state == RUNNING ->
#ifdef BUG_SPAWN_ON_EXIT
        m_settle_ended() /* recovery begins while the rest of the tree may live */
#else
        m_stop(op, AFTER_ENDED);
        clean = clean_exit
#endif
    :: state == STOPPING ->
#ifdef BUG_SPAWN_ON_EXIT
        m_tree_gone()
#else
        ask_signal = !killing
#endif
    :: else
    fi
}

inline machine_step(event)
{
    if
    :: event == BEGIN_START || event == BEGIN_RESTART -> m_begin_up(event)
    :: event == BEGIN_RECOVERY -> m_begin_recovery()
    :: event == BEGIN_STOP -> m_begin_stop()
    :: event == SPAWN_FAILED ->
        assert(state == STARTING);
        clean = false;
        m_settle_ended()
    :: event == READY ->
        if
        :: state == STARTING -> m_become_ready()
        :: else
        fi
    :: event == MAIN_EXITED -> m_main_exited()
    :: event == TREE_GONE ->
        if
        :: state == STOPPING -> m_tree_gone()
        :: else
        fi
    :: event == CANCEL -> m_give_up(CANCELLED)
    :: event == SUPERSEDE -> m_give_up(SUPERSEDED)
    :: event == OPERATION_DEADLINE ->
        if
        :: op != OP_NONE && state == STARTING -> m_give_up_start(TIMED_OUT)
        :: op != OP_NONE && state == STOPPING -> m_give_up_stopping(TIMED_OUT)
        :: else
        fi
    :: event == STATE_DEADLINE -> m_state_deadline()
    fi
}
