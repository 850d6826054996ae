/* turn.pml - one service in the hands of one daemon: its queue, its mailbox, its turns, deadlines,
 * cancel, replace, recovery. No crash here (adopt.pml), and no commit that fails
 * (accept.pml).
 *
 * Proved: L1, L2, L4, L6 (README.md). Every process is one thread or one part of the world; atomic
 * is what happens under the service's lock, or in a turn between two of its locks. */

#ifndef N
#define N 3 /* operations that people ask for */
#endif
#define AUTO N /* the automatic start: at most one waits, at most one runs */
#define NOBODY 255

bool clean_exit = false;
#include "machine.pml"
#include "queue.pml"

/* ---- what people asked, and what they were told ---- */
byte asked = 0; /* ids are given in the order of the places: reserve.c number() */
mtype:action action[N + 1];
bool replaces[N + 1];
bool committed[N + 1];
mtype:end ended[N + 1] = END_NONE;
byte last = NOBODY;    /* the last in line that was accepted */
byte watched = NOBODY; /* any that is accepted: the formulas speak of it */
byte first_unbegun = 0;
#ifndef PLAIN
bool cancels = true; /* one more cancel may be asked */
#endif

/* ---- struct service, under its lock ---- */
byte runs = NOBODY; /* s->active */
bool mail_ready, mail_main, mail_tree, mail_look;
byte mail_begun = NOBODY;
byte mail_output = NOBODY;
byte mail_cancel = NOBODY;

/* ---- turn fields ---- */
bool begin_waits = false;
bool begin_written = false;
bool output_waits = false;
mtype:end output_end = END_NONE;
byte begin_asked = NOBODY;  /* whose beginning is on its way to the journal */
byte output_asked = NOBODY; /* whose last lines are being read */
byte op_due = 0;            /* 0: not set, 1: set, 2: passed, and in the mail */
byte state_due = 0;

/* ---- the world: what really lives ---- */
bool main_lives = false;
bool tree_lives = false;
bool killed = false;

#define MAIL                                                                                       \
    (mail_ready || mail_main || mail_tree || mail_look || mail_begun != NOBODY ||                  \
     mail_output != NOBODY || mail_cancel != NOBODY || op_due == 2 || state_due == 2)

/* end.c op_end(): L2, exactly once, and only what was accepted */
inline set_end(who, how)
{
    assert(committed[who]);
    assert(ended[who] == END_NONE);
    if
    :: who != AUTO ->
        ended[who] = (how == CANCELLED -> CANCELLED : SUCCEEDED);
        replaces[who] = false
    :: else /* the next one is another operation */
    fi
}

/* ---- finish.c ---- */

inline finish(how)
{
    assert(runs != NOBODY);
    /* L6: a stop that has succeeded left nothing */
    assert(!(action[runs] == STOP && how == SUCCEEDED && tree_lives));
    op_due = 0;
    begin_waits = false;
    begin_written = false;
    output_waits = false;
    output_end = END_NONE;
    set_end(runs, how);
    runs = NOBODY
}

inline finish_active(how)
{
    if
#ifdef OUTPUT
    :: action[runs] != STOP && (how == ENDED_BADLY || how == TIMED_OUT) ->
        output_waits = true;
        output_end = how;
        output_asked = runs;
        op_due = 1
#endif
    :: else -> finish(how)
    fi
}

/* ---- act.c, turn.c turn_step() ---- */

inline spawn()
{
    /* L4: nothing of the last instance lives */
    assert(!tree_lives && !main_lives);
    if
    :: main_lives = true;
        tree_lives = true;
        killed = false
    :: spawn_fails = true
    fi
}

inline obey()
{
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
    :: ask_end != END_NONE -> finish_active(ask_end)
    :: else
    fi;
    if
    :: ask_recovery -> /* service_push_automatic() */
        find(AUTO);
        if
        :: at == queued -> push(AUTO)
        :: else
        fi;
        at = 0;
        mail_look = true
    :: else
    fi;
    spawn_fails = false;
    if
    :: ask_spawn -> spawn()
    :: else
    fi;
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

/* One event after the other; a spawn that fails is told at once. */
inline turn_step(what)
{
    event = what;
    do
    :: event != NOTHING ->
        machine_step(event);
        obey();
        event = (spawn_fails -> SPAWN_FAILED : NOTHING)
    :: else -> break
    od;
    spawn_fails = false
}

inline give_up_active(how, what)
{
    if
    :: begin_waits -> finish(how)
    :: !begin_waits && !output_waits -> next_event = what
    :: else
    fi
}

inline operation_deadline()
{
    op_due = 0;
    expired = !output_waits;
    if
    :: output_waits -> finish(output_end)
    :: !output_waits && begin_waits -> finish(TIMED_OUT)
    :: !output_waits && !begin_waits -> next_event = OPERATION_DEADLINE
    fi
}

/* service_take_mail() */
inline take_mail()
{
    took_ready = mail_ready;
    took_main = mail_main;
    took_tree = mail_tree;
    took_begun = mail_begun;
    took_output = mail_output;
    took_cancel = mail_cancel;
    mail_ready = false;
    mail_main = false;
    mail_tree = false;
    mail_begun = NOBODY;
    mail_output = NOBODY;
    mail_cancel = NOBODY;
    mail_look = false
}

/* So that states differ by nothing that is not read again. */
inline forget_mail()
{
    took_ready = false;
    took_main = false;
    took_tree = false;
    took_begun = NOBODY;
    took_output = NOBODY;
    took_cancel = NOBODY;
    next_event = NOTHING
}

/* ---- make_way.c ---- */

inline supersede_at()
{
    who = queue[at];
    remove_at();
    set_end(who, SUPERSEDED);
    mail_look = true
}

inline replacer_makes_way()
{
    replacer = NOBODY;
    at = 0;
    do
    :: at < queued ->
        if
        :: committed[queue[at]] && replaces[queue[at]] -> replacer = queue[at]
        :: else
        fi;
        at++
    :: else -> break
    od;
    do
    :: replacer != NOBODY ->
        at = 0;
        do
        :: !committed[queue[at]] -> at++
        :: else -> break
        od;
        if
        :: queue[at] != replacer -> supersede_at()
        :: else -> break
        fi
    :: else -> break
    od;
    if
    :: replacer != NOBODY && runs != NOBODY && action[runs] != STOP ->
        give_up_active(SUPERSEDED, SUPERSEDE)
    :: else
    fi;
    replacer = NOBODY;
    at = 0
}

/* ---- begin.c ---- */

inline begin_committed()
{
    begin_waits = false;
    begin_written = false;
    if
    :: runs == AUTO -> next_event = BEGIN_RECOVERY
    :: runs != AUTO && action[runs] == START -> next_event = BEGIN_START
    :: runs != AUTO && action[runs] == STOP -> next_event = BEGIN_STOP
    :: runs != AUTO && action[runs] == RESTART -> next_event = BEGIN_RESTART
    fi
}

inline activate_and_begin()
{
    if
    :: queued > 0 && queue[0] == peeked -> /* nobody has withdrawn it meanwhile */
        at = 0;
        remove_at();
        /* L1: one at a time, in the order of the places; what was accepted before has ended */
        assert(runs == NOBODY);
        assert(peeked == AUTO || peeked >= first_unbegun);
        if
        :: peeked != AUTO ->
            do
            :: first_unbegun < peeked ->
                assert(!committed[first_unbegun] || ended[first_unbegun] != END_NONE);
                first_unbegun++
            :: else -> break
            od;
            first_unbegun++
        :: else
        fi;
        runs = peeked;
        op_due = 1;
        if
#ifdef UNMARKED
        :: action[runs] == RESTART ->
            begin_waits = true;
            begin_asked = runs
#endif
        :: else -> begin_committed()
        fi
    :: else
    fi
}

/* turn.c read_mail(), begin.c begin_operations(): facts first, deadlines last, then what pushes others
 * aside. What comes at this place. */
inline look(place)
{
    next_event = NOTHING;
    if
    :: place == 0 && took_ready -> next_event = READY
    :: place == 1 && took_main -> next_event = MAIN_EXITED
    :: place == 2 && took_tree -> next_event = TREE_GONE
    :: place == 3 && took_begun != NOBODY && begin_waits && took_begun == runs ->
        begin_written = true
    :: place == 4 && took_output != NOBODY && output_waits && took_output == runs ->
        finish(output_end)
    :: place == 5 && took_cancel != NOBODY && took_cancel == runs ->
        give_up_active(CANCELLED, CANCEL)
    :: place == 6 && op_due == 2 -> operation_deadline()
    :: place == 7 && state_due == 2 ->
        state_due = 0;
        next_event = STATE_DEADLINE
    :: place == 8 ->
        find_in_the_way_of_a_stop();
        if
        :: at < queued -> supersede_at()
        :: else
        fi;
        replacer_makes_way()
    :: place == 9 && begin_written && AT_REST -> begin_committed()
    :: else
    fi
}

#define MAY_BEGIN (AT_REST && !output_waits && !begin_waits && runs == NOBODY)

active proctype worker()
{
    bool took_ready, took_main, took_tree;
    byte took_begun = NOBODY, took_output = NOBODY, took_cancel = NOBODY;
    byte peeked = NOBODY, at = 0, who = 0, replacer = NOBODY, place = 0;
    mtype:event event = NOTHING, next_event = NOTHING;
    bool spawn_fails = false, expired = false;

    committed[AUTO] = true;
    action[AUTO] = START;
end:
    do
    :: atomic {
        MAIL -> take_mail();
        do
        :: place < 10 ->
            look(place);
            turn_step(next_event);
            assert(!expired || runs == NOBODY || output_waits); /* L2: at its deadline it ends */
            expired = false;
            place++
        :: else -> break
        od;
        place = 0;
        forget_mail()
       }
       do
       :: atomic { MAY_BEGIN && queued > 0 && committed[queue[0]] -> peeked = queue[0] }
          atomic {
           next_event = NOTHING;
           activate_and_begin();
           peeked = NOBODY;
           turn_step(next_event);
           next_event = NOTHING
          }
       :: else -> break
       od
    od
}

/* ---- the other threads ---- */

#define IS_OPEN(i) (asked > i && !committed[i])

/* The acceptances, in any order. */
active proctype commits()
{
    byte i = 0;

end:
    do
    :: atomic {
        if
        :: IS_OPEN(0) -> i = 0
        :: IS_OPEN(1) -> i = 1
#if N > 2
        :: IS_OPEN(2) -> i = 2
#endif
        fi;
        committed[i] = true;
#ifdef LIVENESS
        if
        :: watched == NOBODY -> watched = i
        :: true
        fi;
#endif
        if
        :: last == NOBODY || last < i -> last = i
        :: else
        fi;
        mail_look = true;
        i = 0
       }
    od
}

/* The journal, as far as a turn parks for it. */
active proctype journal()
{
end:
    do
    :: atomic {
        begin_asked != NOBODY ->
        mail_begun = begin_asked;
        begin_asked = NOBODY
       }
    od
}

#ifdef OUTPUT
active proctype logs()
{
end:
    do
    :: atomic {
        output_asked != NOBODY ->
        mail_output = output_asked;
        output_asked = NOBODY
       }
    od
}
#endif

/* The watcher's clock: two, so that a fair run lets neither starve. */
active proctype operation_clock()
{
end:
    do
    :: atomic { op_due == 1 -> op_due = 2 }
    od
}

active proctype state_clock()
{
end:
    do
    :: atomic { state_due == 1 -> state_due = 2 }
    od
}

/* ---- the service itself ---- */

inline tree_end()
{
    tree_lives = false;
    killed = false;
    mail_tree = true
}

inline main_exit()
{
    main_lives = false;
    mail_main = true;
    if
    :: clean_exit = !killed
    :: clean_exit = false
    fi;
    if
    :: tree_end() /* it was alone */
    :: skip
    fi
}

/* What may happen, and need not: people ask and cancel (cancel.c), once; the service becomes ready,
 * falls, obeys a signal, or is deaf and dumb. It goes round in place, so that a fair run need not do
 * anything of it. */
active proctype whatever()
{
    byte i = 0, at = 0;

end:
    do
    :: atomic {
        asked < N ->
        if
        :: action[asked] = START
        :: action[asked] = STOP
        :: action[asked] = RESTART
#ifndef PLAIN
        :: action[asked] = STOP; replaces[asked] = true
        :: action[asked] = RESTART; replaces[asked] = true
#endif
        fi;
        push(asked);
        asked++
       }
#ifndef PLAIN
    :: atomic {
        cancels && asked > 0 ->
        do
        :: i + 1 < asked -> i++
        :: break
        od;
        if
        :: committed[i] && ended[i] == END_NONE ->
            cancels = false;
            find(i);
            if
            :: at < queued ->
                remove_at();
                set_end(i, CANCELLED);
                mail_look = true
            :: else ->
                at = 0;
                if
                :: runs == i && action[i] != STOP ->
#ifdef BUG_END_OUTSIDE_TURN
                    set_end(i, CANCELLED); /* decided here; the turn does not know */
#endif
                    mail_cancel = i
                :: else
                fi
            fi
        :: else
        fi;
        i = 0
       }
#endif
    :: atomic { main_lives -> mail_ready = true }
    :: atomic { main_lives -> main_exit() }
    :: atomic { !main_lives && tree_lives -> tree_end() }
    :: true -> skip
    od
}

/* SIGKILL ends it in any case, later than the daemon is willing to look perhaps. */
active proctype kernel()
{
end:
    do
    :: atomic { killed && main_lives -> main_exit() }
    :: atomic { killed && !main_lives && tree_lives -> tree_end() }
    od
}

#define STOP_LAST (last != NOBODY && last + 1 == asked && action[last] == STOP)

/* L2 */
ltl every_accepted_operation_ends { [] (watched < N -> <> (ended[watched] != END_NONE)) }
/* L6 */
ltl a_stop_accepted_last_wins {
    (<> [] (STOP_LAST && ended[last] != CANCELLED)) -> (<> [] (!tree_lives && !up))
}
