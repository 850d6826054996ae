/* accept.pml - from a request to its 202, and over the death of the daemon: place, journal, commit,
 * turn, end, mark; then the next daemon, which puts back what was accepted and had not ended.
 *
 * Proved: L1, L2, L3 (README.md). Here an operation is done in one step: how is in turn.pml, and what
 * a death in the middle of that means in adopt.pml. A restart is what must not be done twice; a stop
 * may be, and is accepted without the journal when that can't be written. */

#ifndef N
#define N 3 /* operations that people ask for, at most 3 */
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#define NOBODY 255

mtype:action = { STOP, RESTART };
mtype:row = { NO_ROW, QUEUED, RUNNING, ENDED };
mtype:said = { NOTHING, ACCEPTED, REFUSED };
mtype:entry = { ACCEPTANCE, LATER, BEGINNING, END };
mtype:turn = { RESTS, PEEKED, BEGUN, ACTED, RECORDED, MARKED, WRITTEN };

/* ---- what stays when the daemon dies ---- */
mtype:row row[3] = NO_ROW; /* the journal's */
byte began_with[3];        /* begin_generation, in the row when that is RUNNING */
byte generation = 0;       /* the instance file's: a restart adds one */
byte mark_ended = 0;       /* the mark's ends: the last of them, and one */
byte mark_begun = 0;       /* its begun: which, and one */
byte mark_with = 0;        /* and the generation then */

/* ---- what people know ---- */
byte asked = 0; /* ids are given in the order of the places: reserve.c number() */
mtype:action action[3];
mtype:said said[3] = NOTHING;
bool told[3] = false; /* somebody was told that it has ended */

/* ---- what is really so ---- */
byte done[3] = 0; /* how often it was done */
bool over[3] = false;
bool lost[3] = false;  /* accepted with "durable": false, and then the daemon died */
byte watched = NOBODY; /* any that was accepted: the formula speaks of it */
byte deaths = 0;
#ifndef PLAIN
bool cancels = true; /* one cancel may be asked */
#endif

/* ---- what the daemon knows ---- */
bool placed[3] = false; /* in the queue */
bool committed[3] = false;
bool resumed[3] = false;
bool submitted[3] = false;
bool late[3] = false; /* its acceptance waits no more for the journal */
byte runs = NOBODY;   /* s->active */
byte at_hand = NOBODY;
mtype:turn turn = RESTS;
byte to_answer = NOBODY;  /* its commit has come back; the 202 is next */
byte ending = NOBODY;     /* withdrawn; its end goes to the journal next */
chan journal = [12] of { mtype:entry, byte };   /* not committed yet: group.c */
chan callbacks = [12] of { mtype:entry, byte }; /* committed, and nobody knows */

#define ANY(condition) (condition(0) || condition(1) || condition(2))

/* One of those for which it is so. */
#define CHOOSE(condition)                                                                          \
    if                                                                                             \
    :: condition(0) -> i = 0                                                                       \
    :: condition(1) -> i = 1                                                                       \
    :: condition(2) -> i = 2                                                                       \
    fi

inline submit(kind, whose)
{
    assert(nfull(journal)); /* the model is large enough */
    journal!kind, whose
}

inline set_over(who)
{
    assert(!over[who]); /* L2: exactly once */
    over[who] = true
}

inline accepted(who)
{
    said[who] = ACCEPTED;
#ifdef LIVENESS
    if
    :: watched == NOBODY -> watched = who
    :: true
    fi
#endif
}

/* ---- submit.c, place.c, reserve.c ---- */

#define IS_PLACED(i) (placed[i] && !submitted[i])

/* write_down(): outside the lock, so the order of the journal may be another. */
active proctype submits()
{
    byte i = 0;

end:
    do
    :: atomic {
        ANY(IS_PLACED) -> CHOOSE(IS_PLACED);
        submitted[i] = true;
        submit(ACCEPTANCE, i);
#ifdef BUG_202_BEFORE_COMMIT
        accepted(i);
#endif
        i = 0
       }
    :: atomic { /* op_end() after service_withdraw() */
        ending != NOBODY ->
        submit(END, ending);
        ending = NOBODY
       }
    od
}

/* group_take_late(): a stop goes on without the journal, the rest is refused. */
inline give_up_waiting()
{
    late[i] = true;
    if
    :: action[i] == STOP -> /* accept_stops(): the row still comes before all that follows */
        submit(LATER, i);
        committed[i] = true;
        accepted(i)
    :: action[i] == RESTART -> /* refuse_journal(), place_withdraw_all() */
        placed[i] = false;
        said[i] = REFUSED;
        assert(row[i] == NO_ROW)
    fi
}

/* op_cancel_queued(): the end is confirmed when it is written. */
inline cancel()
{
    cancels = false;
    placed[i] = false;
    set_over(i);
    ending = i;
#ifdef BUG_CANCEL_TOLD_UNWRITTEN
    told[i] = true;
#endif
}

/* ---- the death of the daemon, and the next one: requeue.c ---- */

inline die()
{
    deaths++;
    runs = NOBODY;
    at_hand = NOBODY;
    turn = RESTS;
    to_answer = NOBODY;
    ending = NOBODY;
    do
    :: journal?what, who
    :: empty(journal) -> break
    od;
    do
    :: callbacks?what, who
    :: empty(callbacks) -> break
    od;
    what = ACCEPTANCE;
    who = 0
}

/* had_ended(): what ended, and what was given up before something behind it began. */
#ifdef BUG_NO_ENDS_IN_MARK
#define HAD_ENDED(i) (i + 1 < mark_begun)
#elif defined(BUG_REVIVE_WITHDRAWN)
#define HAD_ENDED(i) (i < mark_ended)
#else
#define HAD_ENDED(i) (i < mark_ended || i + 1 < mark_begun)
#endif

inline requeue(op)
{
    placed[op] = false;
    committed[op] = false;
    resumed[op] = false;
    submitted[op] = false;
    if
    :: over[op] && !told[op] && row[op] != ENDED && !HAD_ENDED(op) ->
        over[op] = false /* nobody knows: it may still be done */
    :: else
    fi;
    if
    :: (row[op] == QUEUED || row[op] == RUNNING) && HAD_ENDED(op) ->
        over[op] = true; /* end_lost(): as the mark says */
        submit(END, op)
    :: (row[op] == QUEUED || row[op] == RUNNING) && !HAD_ENDED(op) ->
        placed[op] = true;
        committed[op] = true;
        submitted[op] = true;
        if
        :: row[op] == QUEUED && op + 1 == mark_begun -> /* take_beginning() */
            resumed[op] = true;
            began_with[op] = mark_with
        :: else -> resumed[op] = row[op] == RUNNING
        fi
    :: row[op] == NO_ROW ->
        assert(said[op] != ACCEPTED || late[op] || lost[op]); /* L3: or it was said to be so */
        lost[op] = said[op] == ACCEPTED
    :: else
    fi;
    late[op] = false
}

#define IS_WAITING(i) (submitted[i] && !late[i] && journal ?? [ACCEPTANCE, i])
#define IS_VISIBLE(i) (placed[i] && committed[i])

/* What may happen, and need not. It goes round in place, so that a fair run need not do it. */
active proctype whatever()
{
    mtype:entry what = ACCEPTANCE;
    byte i = 0, who = 0;

end:
    do
    :: atomic { /* service_reserve(): place and id, under the lock */
        asked < N ->
        if
        :: action[asked] = STOP
        :: action[asked] = RESTART
        fi;
        placed[asked] = true;
        asked++
       }
#ifndef PLAIN
    :: atomic {
        ANY(IS_WAITING) -> CHOOSE(IS_WAITING);
        give_up_waiting();
        i = 0
       }
    :: atomic {
        cancels && ANY(IS_VISIBLE) -> CHOOSE(IS_VISIBLE);
        cancel();
        i = 0
       }
#endif
    :: atomic {
        deaths < DEATHS -> die();
        do
        :: i < asked ->
            requeue(i);
            i++
        :: else -> break
        od;
        i = 0
       }
    :: true -> skip
    od
}

/* ---- journal/writer.c ---- */

inline write_row()
{
    if
    :: what == ACCEPTANCE || what == LATER -> row[who] = QUEUED
    :: what == BEGINNING -> row[who] = RUNNING
    :: what == END -> row[who] = ENDED
    fi
}

inline call_back()
{
    if
    :: what == ACCEPTANCE -> /* let_begin() */
        committed[who] = true;
        to_answer = who
    :: what == LATER -> late[who] = false /* written_later(): it is durable now */
    :: what == BEGINNING -> skip
    :: what == END -> told[who] = true /* settled() */
    fi
}

/* What fails is tried again, so a failure is nothing but time that passes. */
active proctype writer()
{
    mtype:entry what = ACCEPTANCE;
    byte who = 0;

end:
    do
    :: atomic {
        journal?what, who ->
        if
        :: what == ACCEPTANCE && late[who] -> skip /* it has been taken out */
        :: else ->
            write_row();
            assert(nfull(callbacks));
            callbacks!what, who
        fi;
        what = ACCEPTANCE;
        who = 0
       }
    :: atomic { /* group_finish(): one after the other */
        to_answer == NOBODY && nempty(callbacks) ->
        callbacks?what, who;
        call_back();
        what = ACCEPTANCE;
        who = 0
       }
    :: atomic {
        to_answer != NOBODY ->
        assert(row[to_answer] != NO_ROW); /* L3 */
        accepted(to_answer);
        to_answer = NOBODY
       }
    od
}

/* ---- begin.c, finish.c, end.c ---- */

#ifdef BUG_BEGIN_UNCOMMITTED
#define IS_READY(i) placed[i]
#else
#define IS_READY(i) (placed[i] && committed[i])
#endif
#define HEAD_IS_READY                                                                              \
    (IS_READY(0) || (!placed[0] && (IS_READY(1) || (!placed[1] && IS_READY(2)))))

/* publish_mark(): before anything is done; it survives the daemon as the instance file does. */
inline mark_beginning()
{
    mark_begun = runs + 1;
    mark_with = began_with[runs]
}

inline activate()
{
    if
    :: placed[at_hand] ->
        placed[at_hand] = false;
        runs = at_hand;
        turn = BEGUN;
        began_with[runs] = (resumed[runs] -> began_with[runs] : generation);
#ifndef BUG_ACT_BEFORE_MARK
        mark_beginning()
#else
        skip
#endif
    :: else -> turn = RESTS /* cancelled meanwhile */
    fi;
    at_hand = NOBODY
}

inline check_turn()
{
    do
    :: i < N ->
        assert(i >= runs || said[i] != ACCEPTED || over[i] || lost[i]); /* L1: all before it */
        /* and what stands behind was not done, or, when a cancel of this one was lost with the
         * daemon, still ends behind it */
        assert(i <= runs || done[i] == 0 || placed[i] || lost[i]);
        i++
    :: else -> break
    od;
    i = 0;
    assert(said[runs] != REFUSED);                   /* L3: what was withdrawn is not done */
    assert(!over[runs] && !told[runs]);              /* L2: nor what has ended */
    assert(row[runs] != NO_ROW || late[runs])        /* L3: nor what was not accepted */
}

inline act()
{
    if
#ifndef BUG_REDO_AFTER_CRASH
    :: action[runs] == RESTART && resumed[runs] && generation > began_with[runs] ->
        skip /* event_for(): the next instance is already there */
#endif
    :: else ->
        done[runs]++;
        generation = generation + (action[runs] == RESTART -> 1 : 0)
    fi;
    assert(action[runs] == STOP || done[runs] == 1); /* L3: never twice */
    turn = ACTED
}

active proctype worker()
{
    byte i = 0;

end:
    do
    :: atomic { /* peek() */
        turn == RESTS && HEAD_IS_READY ->
        if
        :: placed[0] -> at_hand = 0
        :: !placed[0] && placed[1] -> at_hand = 1
        :: !placed[0] && !placed[1] -> at_hand = 2
        fi;
        turn = PEEKED
       }
    :: atomic { turn == PEEKED -> activate() }
    :: atomic {
        turn == BEGUN ->
        check_turn();
        act()
       }
    :: atomic { /* the row comes later; then mark_end() */
        turn == ACTED ->
        turn = RECORDED;
#ifdef BUG_ACT_BEFORE_MARK
        mark_beginning();
#endif
        submit(BEGINNING, runs)
       }
    :: atomic {
        turn == RECORDED ->
        mark_ended = runs + 1;
        turn = MARKED
       }
    :: atomic { /* op_end() */
        turn == MARKED ->
        set_over(runs);
        submit(END, runs);
        at_hand = runs;
        runs = NOBODY;
        turn = WRITTEN
       }
    :: atomic { /* op_announce() */
        turn == WRITTEN ->
        told[at_hand] = true;
        at_hand = NOBODY;
        turn = RESTS
       }
    od
}

/* L2, L3 */
ltl every_accepted_operation_ends {
    [] (watched < N -> <> (row[watched] == ENDED || lost[watched]))
}
