/* queue.pml - src/core/op_queue.c: what waits for one service, in the order of the places. Whoever
 * includes this has N, AUTO, action[], committed[] and the byte `at` where it is used. */

byte queue[N + 1];
byte queued = 0;

inline push(who)
{
    queue[queued] = who;
    queued++
}

/* at: where it stands, queued: nowhere */
inline find(who)
{
    at = 0;
    do
    :: at < queued && queue[at] != who -> at++
    :: else -> break
    od
}

inline remove_at()
{
    do
    :: at + 1 < queued ->
        queue[at] = queue[at + 1];
        at++
    :: else -> break
    od;
    queued--;
    queue[queued] = 0;
    at = 0
}

/* make_way.c in_the_way_of_a_stop(): where the automatic start stands that a waiting stop removes;
 * queued: nowhere. */
inline find_in_the_way_of_a_stop()
{
    at = 0;
    do
    :: at < queued &&
        !(committed[queue[at]] && queue[at] != AUTO && action[queue[at]] == STOP) -> at++
    :: else -> break
    od;
    if
    :: at < queued -> find(AUTO)
    :: else
    fi
}
