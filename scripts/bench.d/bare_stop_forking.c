/* bare_stop_forking - the least that it costs to stop and start again a service which forks when it
 * is stopped: SIGTERM, so long a time, SIGKILL to its group, all of them reaped, posix_spawn, first
 * line; again and again.
 *
 * Says "ready" after the first time; told to stop, prints how often and in what time. Threads: one.
 */
#include "child.h"
#include "ending.h"
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_FD 3

static void start(struct child *child, char **argv)
{
    int ends[2];
    char line;

    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe: %m");
    child_start(child, argv, ends[1], READY_FD, true);
    close(ends[1]);
    if (read(ends[0], &line, 1) != 1)
        die("%s ended before it wrote a line", argv[0]);
    close(ends[0]);
}

/* Children that lost their parent have become ours. */
static void reap_all(void)
{
    while (wait(NULL) > 0)
        continue;
    if (errno != ECHILD)
        die("wait: %m");
}

/* True: it is to end. */
static bool stop(struct child *child, int64_t patience)
{
    bool over;

    if (kill(child->pid, SIGTERM) < 0)
        die("kill: %m");
    over = ending_within(patience);
    if (kill(-child->pid, SIGKILL) < 0)
        die("kill the group: %m");
    reap_all();
    close(child->pidfd);
    return over;
}

int main(int argc, char **argv)
{
    struct child child;
    int64_t patience, began;
    int count = 0;

    if (argc < 3)
        die("usage: bare_stop_forking STOP-TIMEOUT-MS COMMAND [ARGUMENT]...");
    patience = number_of(argv[1]) * (NS_PER_SEC / 1000);
    ending_prepare();
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        die("become a subreaper: %m");
    began = now_ns();
    for (start(&child, argv + 2); !stop(&child, patience); start(&child, argv + 2))
        if (count++ == 0)
            ending_ready();
    printf("count %d seconds %.3f\n", count, (double)(now_ns() - began) / NS_PER_SEC);
    return 0;
}
