/* depend.pml - two services, of which one requires the other: starts and stops that people ask of
 * both, in any order, and the starts that one asks of the other. Each has turns of its own and sees
 * the other only through its view and through the operation that it has asked for: depend.c.
 *
 * Proved: L2 for what waits for a dependency, and L1's second half (README.md). What an instance does
 * is one step here: it becomes ready or fails, falls, stops. */

#ifndef OPS_BELOW
#define OPS_BELOW 2 /* that people ask for, of each service */
#define OPS_ABOVE 1
#endif
#define OPS 2 /* the most of them */
#define BELOW  0 /* is required */
#define ABOVE  1 /* requires it */
#define NOBODY 255
/* Two automatic starts: one may wait while one runs. */
#define MOST      (OPS + 2)
#define OP(s, i)  ((s) * MOST + (i))
#define IS_AUTO(o) ((o) % MOST >= OPS)
#define AUTO(o)    ((o) % MOST - OPS)

mtype:action = { START, STOP };
mtype:state = { STOPPED, STARTING, RUNNING, STOPPING, FAILED };
mtype:end = { END_NONE, SUCCEEDED, ENDED_BADLY, SUPERSEDED };
mtype:answer = { READY, WAIT, DEPENDENCY_FAILED };

/* ---- operations ---- */
mtype:action action[2 * MOST];
mtype:end ended[2 * MOST] = END_NONE;
bool announced[2]; /* of the automatic ones: nobody looks at the others' */
byte asked[2];
byte watched = NOBODY; /* any that was accepted: the formula speaks of it */

/* ---- services ---- */
byte queue[2 * MOST];
byte queued[2];
byte runs[2] = NOBODY;
mtype:state state[2] = STOPPED;
mtype:state view = STOPPED; /* of BELOW, as the other sees it */
bool view_busy = false;
bool mail[2];                /* MAIL_LOOK */
mtype:state told[2] = STOPPED; /* how the instance is by now */
byte waits = NOBODY;         /* of ABOVE: waiting_op */
byte pulled = NOBODY;        /* of ABOVE: the start that it has asked of BELOW */

inline push(s, o)
{
    queue[OP(s, queued[s])] = o;
    queued[s]++
}

inline remove_at(s)
{
    do
    :: at + 1 < queued[s] ->
        queue[OP(s, at)] = queue[OP(s, at + 1)];
        at++
    :: else -> break
    od;
    queued[s]--;
    queue[OP(s, queued[s])] = 0;
    at = 0
}

/* turn.c announce_ends() tells it at the end of the turn. */
inline set_end(o, how)
{
    assert(ended[o] == END_NONE);
    ended[o] = how
}

/* ---- depend.c ---- */

/* service_push_automatic() */
inline pull()
{
    at = 0;
    do
    :: at < queued[BELOW] && !IS_AUTO(queue[OP(BELOW, at)]) -> at++
    :: else -> break
    od;
    if
    :: at < queued[BELOW] -> pulled = queue[OP(BELOW, at)] /* joins it */
    :: else ->
        pulled = (runs[BELOW] == OP(BELOW, OPS) -> OP(BELOW, OPS + 1) : OP(BELOW, OPS));
        action[pulled] = START;
        ended[pulled] = END_NONE;
        announced[AUTO(pulled)] = false;
        push(BELOW, pulled);
        mail[BELOW] = true
    fi;
    at = 0
}

/* After pulled_goes_on(): its end came after the view. */
inline check_required()
{
    if
    :: view == RUNNING -> answer = READY
    :: view != RUNNING && pulled != NOBODY && goes_on -> answer = WAIT
    :: view != RUNNING && pulled != NOBODY && !goes_on && ended[pulled] != SUCCEEDED ->
        answer = DEPENDENCY_FAILED
    :: else ->
        if
        :: view_busy || view == STARTING || view == STOPPING -> answer = WAIT
        :: else ->
            if
            :: pulled == NOBODY ->
                pull();
                answer = WAIT
            :: else -> answer = DEPENDENCY_FAILED
            fi
        fi
    fi
}

/* depend_notify() */
inline notify(s)
{
    mail[ABOVE] = mail[ABOVE] || s == BELOW
}

/* ---- turn.c, begin.c, make_way.c ---- */

inline end_active(how)
{
    set_end(runs[me], how);
    if
    :: IS_AUTO(runs[me]) -> to_tell[AUTO(runs[me])] = true
    :: else -> action[runs[me]] = START /* not read again */
    fi;
    told_end = me == BELOW;
    runs[me] = NOBODY
}

inline take_news()
{
    if
    :: state[me] == STARTING && told[me] == RUNNING ->
        state[me] = RUNNING;
        end_active(SUCCEEDED)
    :: state[me] == STARTING && told[me] == FAILED ->
        state[me] = FAILED;
        end_active(ENDED_BADLY)
    :: state[me] == RUNNING && told[me] == FAILED -> state[me] = FAILED
    :: state[me] == STOPPING && told[me] == STOPPED ->
        state[me] = STOPPED;
        end_active(SUCCEEDED)
    :: else
    fi
}

inline supersede_at()
{
    who = queue[OP(me, at)];
    remove_at(me);
    set_end(who, SUPERSEDED);
    if
    :: IS_AUTO(who) -> announced[AUTO(who)] = true /* op_announce(), not in the turn's list */
    :: else
    fi;
    who = 0
}

/* A stop that waits removes the automatic start, and what waits for a dependency. */
inline make_way()
{
    do
    :: at < queued[me] &&
        (IS_AUTO(queue[OP(me, at)]) || action[queue[OP(me, at)]] != STOP) -> at++
    :: else -> break
    od;
    if
    :: at < queued[me] ->
        at = 0;
        do
        :: at < queued[me] && !IS_AUTO(queue[OP(me, at)]) -> at++
        :: else -> break
        od;
        if
        :: at < queued[me] -> supersede_at()
        :: else
        fi;
        at = 0;
        if
        :: me == ABOVE && waits != NOBODY && queue[OP(me, 0)] == waits && action[waits] == START ->
            supersede_at()
        :: else
        fi
    :: else
    fi;
    at = 0
}

inline forget_waiting()
{
    if
    :: me == ABOVE ->
        waits = NOBODY;
        pulled = NOBODY
    :: else
    fi
}

inline activate()
{
    runs[me] = queue[OP(me, 0)];
    at = 0;
    remove_at(me)
}

inline begin()
{
    activate();
    if
    :: answer == DEPENDENCY_FAILED -> end_active(ENDED_BADLY)
    :: else ->
        if
        :: action[runs[me]] == START && state[me] == RUNNING -> end_active(SUCCEEDED)
        :: action[runs[me]] == START && state[me] != RUNNING ->
            state[me] = STARTING;
            told[me] = STARTING
        :: action[runs[me]] == STOP && state[me] == RUNNING ->
            state[me] = STOPPING;
            told[me] = STOPPING
        :: action[runs[me]] == STOP && state[me] != RUNNING ->
            state[me] = STOPPED;
            told[me] = STOPPED;
            end_active(SUCCEEDED)
        fi
    fi;
    answer = READY
}

inline announce_ends()
{
    announced[0] = announced[0] || to_tell[0];
    announced[1] = announced[1] || to_tell[1];
    to_tell[0] = false;
    to_tell[1] = false;
#ifndef BUG_END_NOT_NOTIFIED
    if
    :: told_end -> notify(me)
    :: else
    fi;
#endif
    told_end = false
}

#define MAY_BEGIN (runs[me] == NOBODY && queued[me] > 0)

proctype service(byte me)
{
    byte at = 0, who = 0;
    bool goes_on = false, differs = false;
    bool to_tell[2], told_end = false;
    mtype:answer answer = READY;

end:
    do
    :: atomic {
        mail[me] ->
        mail[me] = false;
        take_news();
        make_way()
       }
       do
       :: atomic { MAY_BEGIN ->
           answer = READY;
           if
           :: me == ABOVE && waits != NOBODY && waits != queue[OP(me, 0)] -> forget_waiting()
           :: else
           fi;
           goes_on = me == ABOVE && pulled != NOBODY && !announced[AUTO(pulled)]
          }
          atomic { /* the view is read later than the operation */
           if
           :: me == ABOVE && queued[me] > 0 && action[queue[OP(me, 0)]] == START &&
               state[me] != RUNNING -> check_required()
           :: else
           fi;
           goes_on = false;
           if
           :: answer == WAIT ->
               waits = queue[OP(me, 0)];
               answer = READY;
               break
           :: else ->
               forget_waiting();
               begin()
           fi
          }
       :: atomic { else ->
           if
           :: queued[me] == 0 -> forget_waiting()
           :: else
           fi;
           break
          }
       od;
       if
       :: me == BELOW -> /* nobody sees the view of the other */
#ifdef BUG_NOTIFIED_BEFORE_THE_VIEW
           atomic { notify(me) }
#endif
           atomic { /* publish() */
            differs = view != state[me] || view_busy != (runs[me] != NOBODY || queued[me] > 0);
            view = state[me];
            view_busy = runs[me] != NOBODY || queued[me] > 0
           }
#ifndef BUG_NOTIFIED_BEFORE_THE_VIEW
           atomic {
            if
            :: differs -> notify(me)
            :: else
            fi;
            differs = false
           }
#endif
           atomic { announce_ends() }
       :: else
       fi
    od
}

/* ---- the world ---- */

inline ask(s)
{
    if
    :: action[OP(s, asked[s])] = START
    :: action[OP(s, asked[s])] = STOP
    fi;
    push(s, OP(s, asked[s]));
#ifdef LIVENESS
    if
    :: watched == NOBODY -> watched = OP(s, asked[s])
    :: true
    fi;
#endif
    asked[s]++;
    mail[s] = true
}

inline tell(s, how)
{
    told[s] = how;
    mail[s] = true
}

/* What may happen, and need not. It goes round in place, so that a fair run need not do it. */
active proctype whatever()
{
end:
    do
    :: atomic { asked[BELOW] < OPS_BELOW -> ask(BELOW) }
    :: atomic { asked[ABOVE] < OPS_ABOVE -> ask(ABOVE) }
    :: atomic { told[BELOW] == RUNNING && state[BELOW] == RUNNING -> tell(BELOW, FAILED) }
    :: atomic { told[ABOVE] == RUNNING && state[ABOVE] == RUNNING -> tell(ABOVE, FAILED) }
    :: true -> skip
    od
}

/* What begins comes to an end: turn.pml. */
proctype instance(byte me)
{
end:
    do
    :: atomic {
        told[me] == STARTING ->
        if
        :: tell(me, RUNNING)
        :: tell(me, FAILED)
        fi
       }
    :: atomic { told[me] == STOPPING -> tell(me, STOPPED) }
    od
}

init
{
    atomic {
        run service(BELOW);
        run service(ABOVE);
        run instance(BELOW);
        run instance(ABOVE)
    }
}

/* L1: they wait only for what will come; L2 */
ltl every_accepted_operation_ends { [] (watched != NOBODY -> <> (ended[watched] != END_NONE)) }
/* Nothing but a dependency holds up a service: the one below never waits. */
ltl what_is_required_waits_for_nobody {
    [] ((queued[BELOW] > 0) -> <> (queued[BELOW] == 0 || runs[BELOW] != NOBODY))
}
