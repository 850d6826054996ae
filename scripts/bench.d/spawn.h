/* spawn - a process as plainly as it goes: child.h. For the side "floor", which pays for what
 * Orderly promises of every instance and for nothing else, the environment asks for more:
 *   BENCH_GROUPS=FOLDER     each is born in a control group of its own, made and removed in FOLDER
 *   BENCH_EXECUTOR=PROGRAM  each is executed by PROGRAM, which makes it a session of its own
 *
 * Threads: any, one for a process. Ownership: whoever spawned it reaps it. */
#pragma once

#include "child.h"

struct spawned {
    struct child child;
    int group; /* its number; 0: none */
};

/* LINES, unless -1, becomes its descriptor 3. No signal is blocked in it. */
void spawn_process(struct spawned *process, char **argv, int lines);
/* Waits for its end. */
void spawn_reap(struct spawned *process);
