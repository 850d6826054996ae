/* bare_restart_process - the least that a restart of a process costs: SIGTERM through its pidfd,
 * wait for its end, posix_spawn, wait for its first line.
 *
 * Prints p50, p95 and rate; appends every sample to a file. Threads: one. */
#include "bare_process.h"
#include "measure.h"

#define WARM_UP 5 /* not counted: caches */

static void restart(struct bare_process *process, char **argv)
{
    bare_stop(process);
    bare_start(process, argv);
}

int main(int argc, char **argv)
{
    struct samples samples = {0};
    struct bare_process process;
    int count;

    if (argc < 4)
        die("usage: bare_restart_process COUNT SAMPLES-FILE COMMAND [ARGUMENT]...");
    count = number_of(argv[1]);
    bare_start(&process, argv + 3);
    for (int i = 0; i < WARM_UP; i++)
        restart(&process, argv + 3);
    for (int i = 0; i < count; i++) {
        int64_t begin = now_ns();

        restart(&process, argv + 3);
        samples_add(&samples, now_ns() - begin);
    }
    bare_stop(&process);
    samples_write(&samples, argv[2]);
    samples_print(&samples);
    samples_deinit(&samples);
    return 0;
}
