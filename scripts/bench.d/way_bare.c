/* way_bare - nobody is asked: the client restarts the command by itself. */
#include "bare_process.h"
#include "measure.h"
#include "way.h"

#include <stdlib.h>

struct way {
    char *command;
    struct bare_process *processes; /* of service n: processes[n] */
    int room;
};

static struct way *way_bare_open(const char *where, const char *lines)
{
    struct way *way = calloc(1, sizeof *way);

    (void)lines;
    if (!way)
        die("out of memory");
    way->command = (char *)where;
    return way;
}

static void make_room(struct way *way, int number)
{
    way->processes = reallocarray(way->processes, (size_t)number + 1, sizeof *way->processes);
    if (!way->processes)
        die("out of memory");
    for (; way->room <= number; way->room++)
        way->processes[way->room].spawned.child.pidfd = -1;
}

static void start(struct way *way, int number)
{
    bare_start(&way->processes[number], (char *[]){way->command, NULL});
}

static void way_bare_adopt(struct way *way, int number)
{
    if (number >= way->room)
        make_room(way, number);
    start(way, number);
}

static void way_bare_restart(struct way *way, int number)
{
    bare_stop(&way->processes[number]);
    start(way, number);
}

static void way_bare_close(struct way *way)
{
    for (int n = 0; n < way->room; n++)
        if (way->processes[n].spawned.child.pidfd >= 0)
            bare_stop(&way->processes[n]);
    free(way->processes);
    free(way);
}

const struct way_ops way_bare = {
    .open = way_bare_open,
    .adopt = way_bare_adopt,
    .restart = way_bare_restart,
    .close = way_bare_close,
};
