/* bare_process - a process and the least that can be done with it: spawn.h and its first line,
 * SIGTERM through its pidfd and its end.
 *
 * Threads: any, one for a process. */
#pragma once

#include "spawn.h"

struct bare_process {
    struct spawned spawned;
    int lines; /* our end of the descriptor that it writes its line to */
};

/* Returns when it has written its line. */
void bare_start(struct bare_process *process, char **argv);
/* Returns when it has ended. */
void bare_stop(struct bare_process *process);
