/* run_repeatedly - a command as a whole process, from its spawn to its end, one after the other.
 *
 * Prints p50, p95 and rate; appends every sample to a file. Threads: one. */
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define WARM_UP 2 /* not counted: caches */

extern char **environ;

/* What it says is of no account, unless it is an error. */
static void run(char **argv, const posix_spawn_file_actions_t *actions)
{
    int status;
    pid_t pid;

    errno = posix_spawn(&pid, argv[0], actions, NULL, argv, environ);
    if (errno)
        die("run %s: %m", argv[0]);
    if (waitpid(pid, &status, 0) < 0)
        die("wait for %s: %m", argv[0]);
    if (status != 0)
        die("%s ended with wait status %d", argv[0], status);
}

int main(int argc, char **argv)
{
    posix_spawn_file_actions_t actions;
    struct samples samples = {0};
    int count;

    if (argc < 4)
        die("usage: run_repeatedly COUNT SAMPLES-FILE COMMAND [ARGUMENT]...");
    count = number_of(argv[1]);
    if (posix_spawn_file_actions_init(&actions) ||
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0))
        die("out of memory");
    for (int i = 0; i < WARM_UP; i++)
        run(argv + 3, &actions);
    for (int i = 0; i < count; i++) {
        int64_t begin = now_ns();

        run(argv + 3, &actions);
        samples_add(&samples, now_ns() - begin);
    }
    posix_spawn_file_actions_destroy(&actions);
    samples_write(&samples, argv[2]);
    samples_print(&samples);
    samples_deinit(&samples);
    return 0;
}
