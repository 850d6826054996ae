/* bare_crash_loops - the least that so many crash loops cost: COUNT programs, each spawned again
 * so long after it has ended.
 *
 * Says "ready" when each has ended once; told to stop, prints how many ended, and in what time.
 * Threads: one. */
#include "child.h"
#include "ending.h"
#include "measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 64

struct slot {
    struct child child;
    struct slot *next; /* in line for its start: all wait for the same time */
    int64_t due;
    bool ended_once;
};

struct loops {
    char **argv;
    int64_t delay, ends;
    struct slot *first, **last;
    int epoll, left; /* that have not ended yet */
};

static void spawn(struct loops *loops, struct slot *slot)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = slot};

    child_start(&slot->child, loops->argv, -1, -1, false);
    if (epoll_ctl(loops->epoll, EPOLL_CTL_ADD, slot->child.pidfd, &event) < 0)
        die("watch a process: %m");
}

static void ended(struct loops *loops, struct slot *slot)
{
    epoll_ctl(loops->epoll, EPOLL_CTL_DEL, slot->child.pidfd, NULL);
    child_reap(&slot->child);
    loops->ends++;
    if (!slot->ended_once && --loops->left == 0)
        ending_ready();
    slot->ended_once = true;
    slot->due = now_ns() + loops->delay;
    slot->next = NULL;
    *loops->last = slot;
    loops->last = &slot->next;
}

/* Spawns what is due; returns how many ms it is until the next. */
static int spawn_due(struct loops *loops)
{
    struct slot *slot;
    int64_t left;

    while ((slot = loops->first)) {
        left = slot->due - now_ns();
        if (left > 0)
            return (int)((left + 999999) / 1000000);
        loops->first = slot->next;
        if (!loops->first)
            loops->last = &loops->first;
        spawn(loops, slot);
    }
    return -1;
}

/* False: it is to end. */
static bool turn(struct loops *loops, int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(loops->epoll, events, EVENTS, timeout_ms);

    if (count < 0 && errno != EINTR)
        die("epoll_wait: %m");
    for (int i = 0; i < count; i++) {
        if (!events[i].data.ptr)
            return false;
        ended(loops, events[i].data.ptr);
    }
    return true;
}

int main(int argc, char **argv)
{
    struct loops loops = {.last = &loops.first};
    struct epoll_event event = {.events = EPOLLIN};
    struct slot *slots;
    int64_t began;
    int count;

    if (argc < 4)
        die("usage: bare_crash_loops COUNT DELAY-MS COMMAND [ARGUMENT]...");
    loops.left = count = number_of(argv[1]);
    loops.delay = number_of(argv[2]) * (NS_PER_SEC / 1000);
    loops.argv = argv + 3;
    loops.epoll = epoll_create1(EPOLL_CLOEXEC);
    slots = calloc((size_t)count, sizeof *slots);
    ending_prepare();
    if (!slots || loops.epoll < 0 || epoll_ctl(loops.epoll, EPOLL_CTL_ADD, ending_fd(), &event) < 0)
        die("begin: %m");
    began = now_ns();
    for (int i = 0; i < count; i++)
        spawn(&loops, &slots[i]);
    while (turn(&loops, spawn_due(&loops)))
        continue;
    printf("count %lld seconds %.3f\n", (long long)loops.ends,
           (double)(now_ns() - began) / NS_PER_SEC);
    return 0; /* what still runs ends by itself */
}
