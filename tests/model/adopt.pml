/* adopt.pml - one service whose daemon dies in the middle of anything, and the next daemon that goes
 * on: instance file, gate, marks, rows, adoption, requeue; restarts judged by their generation.
 *
 * Proved: L2, L3, L4, L6 over the daemon's death (README.md). What people ask is accepted at once
 * here (accept.pml), and neither cancelled nor replaced (turn.pml). */

#ifndef N
#define N 2 /* operations that people ask for */
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#define AUTO N /* the automatic start */
#define NOBODY 255

bool clean_exit = false;
mtype:action action[N + 1];
bool committed[N + 1] = true;
#include "machine.pml"
#include "queue.pml"

mtype:row = { NO_ROW, QUEUED, BEGUN, ENDED };
mtype:entry = { BEGINNING, END };

/* ---- what stays when the daemon dies ---- */
mtype:row row[N] = NO_ROW; /* the journal's */
byte began_with[N];        /* begin_generation, in the row when that is BEGUN */
byte mark_ended = 0;       /* the mark's ends: the last of them, and one */
byte mark_begun = 0;       /* its begun: which, and one; people's only, the others change nothing */
byte mark_with = 0;        /* and the generation then */
byte mark_generation = 0;
bool mark_up = false; /* the goal */
bool record = false;  /* the instance file's: open, which, and how far it was */
byte record_generation = 0;
mtype:state record_phase = STARTING;

/* ---- what really lives ---- */
bool main_lives = false;
bool tree_lives = false;
byte lives = 0; /* its generation */
bool killed = false;
bool said_ready = false; /* it lies in the FIFO until it is read */

/* ---- people ---- */
byte asked = 0;
byte watched = NOBODY; /* any that was accepted: the formula speaks of it */
byte first_with[N];    /* the generation when it first began, and one */
bool over[N] = false;

/* ---- the daemon ---- */
bool alive = false;
byte deaths = 0;
byte generation = 0;
bool instance = false;
byte runs = NOBODY;
bool resumed[N + 1] = false;
byte op_due = 0; /* 0: not set, 1: set, 2: passed, and in the mail */
byte state_due = 0;
bool mail_ready = false;
bool mail_main = false;
bool mail_tree = false;
chan journal = [4] of { mtype:entry, byte }; /* not committed yet */

/* kill -9 may come here. */
#define MAY_DIE                                                                                    \
    if                                                                                             \
    :: deaths < DEATHS ->                                                                          \
        deaths++;                                                                                  \
        goto dead                                                                                  \
    :: true                                                                                        \
    fi

inline submit(kind, whose)
{
    assert(nfull(journal)); /* the model is large enough */
    journal!kind, whose
}

/* publish.c publish_mark() */
inline publish_mark()
{
    mark_up = up;
    mark_generation = generation
}

/* ---- finish.c, end.c ---- */

inline finish(how)
{
    MAY_DIE;
    publish_mark(); /* mark_end(): in one with it */
    if
    :: runs != AUTO ->
        mark_ended = runs + 1;
        assert(!over[runs]);                                            /* L2 */
        assert(!(action[runs] == STOP && how == SUCCEEDED && tree_lives)); /* L6 */
        over[runs] = true;
        MAY_DIE;
        submit(END, runs)
    :: else
    fi;
    op_due = 0;
    runs = NOBODY
}

/* ---- start.c: group and executor, the record, the gate ---- */

inline spawn()
{
    generation++;
    MAY_DIE;
#ifdef BUG_GATE_BEFORE_RECORD
    open_gate();
    MAY_DIE;
#endif
    if
    :: record = true; /* instances_write() */
        record_generation = generation;
        record_phase = STARTING;
        instance = true;
        MAY_DIE;
#ifndef BUG_GATE_BEFORE_RECORD
        open_gate();
        MAY_DIE
#endif
    :: spawn_fails = true /* something before the record failed: undo() */
    fi
}

inline open_gate()
{
    assert(!tree_lives); /* L4 */
    main_lives = true;
    tree_lives = true;
    lives = generation;
    killed = false;
    said_ready = false
}

/* ---- turn.c turn_step(): the phase is in the instance file before anything is done ---- */

inline obey()
{
    if
    :: instance && tree && !ask_spawn && record_phase != state ->
        record_phase = state;
        MAY_DIE
    :: else
    fi;
    if
    :: ask_signal && op == OP_RESTART && after == AFTER_SPAWN && main_lives ->
        /* L3: a restart stops what ran when it began, and not what it has started itself */
        assert(lives < first_with[runs])
    :: else
    fi;
    if
    :: ask_kill -> killed = tree_lives
    :: else
    fi;
    if
    :: ask_due == CLEAR -> state_due = 0
    :: ask_due == SET -> state_due = 1
    :: else
    fi;
    if
    :: ask_end != END_NONE -> finish(ask_end)
    :: else
    fi;
    if
    :: ask_recovery ->
        find(AUTO);
        if
        :: at == queued -> push(AUTO)
        :: else
        fi;
        at = 0
    :: else
    fi;
    spawn_fails = false;
    if
    :: ask_spawn -> spawn()
    :: else
    fi;
    forget_step()
}

inline forget_step()
{
    ask_spawn = false;
    ask_signal = false;
    ask_kill = false;
    ask_recovery = false;
    ask_due = KEEP;
    ask_end = END_NONE;
    clean_exit = false;
    if
    :: op == OP_NONE || op == OP_STOP -> up_before = false /* not read again */
    :: else
    fi
}

inline release_instance()
{
    instance = false;
    record = false
}

/* ---- the next daemon: boot.c, adopt.c, requeue.c ---- */

inline adopt()
{
    instance = true;
    tree = true;
    after = AFTER_ENDED;
    state = record_phase;
    generation = (record_generation > generation -> record_generation : generation);
    state_due = (state == RUNNING -> 0 : 1);
    /* the facts come as mail, as ever */
    mail_ready = said_ready && state == STARTING;
    mail_main = !main_lives || lives != record_generation;
    mail_tree = !tree_lives || lives != record_generation
}

#define HAD_ENDED(i) (i < mark_ended || i + 1 < mark_begun)

inline requeue(who)
{
    resumed[who] = false;
    if
    :: (row[who] == QUEUED || row[who] == BEGUN) && HAD_ENDED(who) ->
        over[who] = true; /* it is not done again */
        submit(END, who)
    :: (row[who] == QUEUED || row[who] == BEGUN) && !HAD_ENDED(who) ->
        push(who);
        if
#ifndef BUG_MARK_NOT_READ
        :: row[who] == QUEUED && who + 1 == mark_begun -> /* take_beginning() */
            resumed[who] = true;
            began_with[who] = mark_with
#endif
        :: else -> resumed[who] = row[who] == BEGUN
        fi
    :: else
    fi
}

inline boot()
{
    generation = mark_generation;
    up = mark_up;
    if
    :: record -> adopt()
    :: else
    fi;
    do
    :: at < asked ->
        requeue(at);
        at++
    :: else -> break
    od;
    at = 0;
    if
    :: up && !instance -> push(AUTO) /* begin_service() */
    :: else
    fi
}

inline forget_everything()
{
    alive = false;
    state = STOPPED;
    op = OP_NONE;
    after = AFTER_STOPPED;
    up = false;
    tree = false;
    killing = false;
    stuck = false;
    clean = false;
    attempt = 0;
    forget_step();
    do
    :: queued > 0 ->
        queued--;
        queue[queued] = 0
    :: else -> break
    od;
    do
    :: journal?what, who
    :: empty(journal) -> break
    od;
    generation = 0;
    instance = false;
    runs = NOBODY;
    op_due = 0;
    state_due = 0;
    mail_ready = false;
    mail_main = false;
    mail_tree = false;
    event = NOTHING;
    next_event = NOTHING;
    spawn_fails = false;
    what = BEGINNING;
    who = 0;
    at = 0
}

/* ---- begin.c ---- */

inline begin_committed()
{
    if
    :: runs == AUTO -> next_event = BEGIN_RECOVERY
    :: runs != AUTO && action[runs] == START -> next_event = BEGIN_START
    :: runs != AUTO && action[runs] == STOP ->
        /* finish_done_before() is for those who have no marks */
        assert(!(resumed[runs] && generation > began_with[runs]));
        next_event = BEGIN_STOP
    :: runs != AUTO && action[runs] == RESTART ->
#ifdef BUG_RESTART_REDONE
        next_event = BEGIN_RESTART
#else
        next_event =
            (resumed[runs] && instance && generation > began_with[runs] -> BEGIN_START
                                                                        : BEGIN_RESTART)
#endif
    fi
}

inline activate()
{
    runs = queue[0];
    at = 0;
    remove_at();
    op_due = 1;
    if
    :: runs != AUTO ->
        began_with[runs] = (resumed[runs] -> began_with[runs] : generation);
        mark_begun = runs + 1;
        mark_with = began_with[runs];
        first_with[runs] = (first_with[runs] == 0 -> generation + 1 : first_with[runs])
    :: else
    fi;
    publish_mark()
}

/* Facts first, deadlines last; the next operation after them. */
inline next_of_the_turn()
{
    next_event = NOTHING;
    if
    :: mail_ready ->
        mail_ready = false;
        next_event = READY
    :: !mail_ready && mail_main ->
        mail_main = false;
        next_event = MAIN_EXITED
    :: !mail_ready && !mail_main && mail_tree ->
        mail_tree = false;
        release_instance();
        next_event = TREE_GONE
    :: else ->
        if
        :: op_due == 2 ->
            op_due = 0;
            next_event = OPERATION_DEADLINE
        :: op_due != 2 && state_due == 2 ->
            state_due = 0;
            next_event = STATE_DEADLINE
        :: else -> begin_next()
        fi
    fi
}

inline begin_next()
{
    find_in_the_way_of_a_stop();
    if
    :: at < queued -> remove_at() /* superseded */
    :: else
    fi;
    at = 0;
    activate();
    MAY_DIE;
    tell = runs;
    begin_committed()
}

#define HAS_MAIL (mail_ready || mail_main || mail_tree)
#define MAY_BEGIN (AT_REST && runs == NOBODY && queued > 0)

active proctype daemon()
{
    byte at = 0, who = 0, tell = NOBODY;
    mtype:event event = NOTHING, next_event = NOTHING;
    mtype:entry what = BEGINNING;
    bool spawn_fails = false;

    action[AUTO] = START;
dead:
    atomic { forget_everything(); tell = NOBODY }
    atomic { boot(); alive = true }
end:
    do
    :: atomic {
        HAS_MAIL || op_due == 2 || state_due == 2 || MAY_BEGIN ->
        next_of_the_turn();
        event = next_event;
        do
        :: event != NOTHING ->
            machine_step(event);
            obey();
            event = (spawn_fails -> SPAWN_FAILED : NOTHING)
        :: else -> break
        od;
        spawn_fails = false;
        next_event = NOTHING;
        if
        :: tell != NOBODY && tell == runs && tell != AUTO -> submit(BEGINNING, tell)
        :: else
        fi;
        tell = NOBODY;
        MAY_DIE;
        publish_mark()
       }
    :: atomic { deaths < DEATHS -> deaths++; goto dead }
    od
}

/* ---- the other threads ---- */

active proctype writer()
{
    mtype:entry what = BEGINNING;
    byte who = 0;

end:
    do
    :: atomic {
        journal?what, who ->
        if
        :: what == END -> row[who] = ENDED
        :: what == BEGINNING -> row[who] = BEGUN
        fi;
        what = BEGINNING;
        who = 0
       }
    od
}

active proctype operation_clock()
{
end:
    do
    :: atomic { op_due == 1 -> op_due = 2 }
    od
}

/* It is never stable for so long that the attempts are forgotten: generations are to be few. */
active proctype state_clock()
{
end:
    do
    :: atomic { state_due == 1 && state != RUNNING -> state_due = 2 }
    od
}

/* ---- the service itself ---- */

inline tree_end()
{
    tree_lives = false;
    killed = false;
    said_ready = false;
    lives = 0;
    mail_tree = alive
}

inline main_exit()
{
    main_lives = false;
    mail_main = alive;
    if
    :: clean_exit = alive
    :: clean_exit = false
    fi;
    if
    :: tree_end()
    :: skip
    fi
}

/* What may happen, and need not. It goes round in place, so that a fair run need not do it. */
active proctype whatever()
{
end:
    do
    :: atomic {
        alive && asked < N ->
        if
        :: action[asked] = START
        :: action[asked] = STOP
        :: action[asked] = RESTART
        fi;
        row[asked] = QUEUED;
        push(asked);
#ifdef LIVENESS
        if
        :: watched == NOBODY -> watched = asked
        :: true
        fi;
#endif
        asked++
       }
    :: atomic {
        main_lives && !said_ready ->
        said_ready = true;
        mail_ready = alive
       }
    :: atomic { main_lives -> main_exit() }
    :: atomic { !main_lives && tree_lives -> tree_end() }
    :: true -> skip
    od
}

/* SIGKILL ends it in any case, whoever lives then. */
active proctype kernel()
{
end:
    do
    :: atomic { killed && main_lives -> main_exit() }
    :: atomic { killed && !main_lives && tree_lives -> tree_end() }
    od
}

#define STOP_LAST (asked > 0 && action[asked - 1] == STOP)

/* L2, L3 */
ltl every_accepted_operation_ends { [] (watched < N -> <> (row[watched] == ENDED)) }
/* L6 */
ltl a_stop_accepted_last_wins { (<> [] STOP_LAST) -> (<> [] (!tree_lives && !up)) }
