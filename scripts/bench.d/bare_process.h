/* bare_process - a process and the least that can be done with it: posix_spawn and its first line,
 * SIGTERM through its pidfd and its end.
 *
 * Threads: any, one for a process. */
#pragma once

struct bare_process {
    int pidfd, lines; /* lines: our end of the descriptor that it writes its line to */
};

/* Returns when it has written its line. */
void bare_start(struct bare_process *process, char **argv);
/* Returns when it has ended. */
void bare_stop(struct bare_process *process);
