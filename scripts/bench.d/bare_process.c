/* bare_process - a process and the least that can be done with it. */
#include "bare_process.h"

#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_FD    3 /* where the service writes its line */
#define PATIENCE_MS 120000

extern char **environ;

static void await(int fd, const char *what)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int n;

    do
        n = poll(&wait, 1, PATIENCE_MS);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        die("wait for the service's %s: %s", what, n < 0 ? "poll failed" : "it does not come");
}

void bare_start(struct bare_process *process, char **argv)
{
    posix_spawn_file_actions_t actions;
    int ends[2], error;
    pid_t pid;
    char line;

    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe: %m");
    if (posix_spawn_file_actions_init(&actions) ||
        posix_spawn_file_actions_adddup2(&actions, ends[1], READY_FD))
        die("out of memory");
    error = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
    if (error) {
        errno = error;
        die("spawn %s: %m", argv[0]);
    }
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    process->lines = ends[0];
    process->pidfd = pidfd_open(pid, 0);
    if (process->pidfd < 0)
        die("pidfd_open: %m");
    await(process->lines, "first line");
    if (read(process->lines, &line, 1) != 1 || line != '\n')
        die("%s ended before it wrote a line", argv[0]);
}

void bare_stop(struct bare_process *process)
{
    siginfo_t info;

    if (pidfd_send_signal(process->pidfd, SIGTERM, NULL, 0) < 0)
        die("pidfd_send_signal: %m");
    await(process->pidfd, "end");
    if (waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED) < 0)
        die("waitid: %m");
    close(process->pidfd);
    close(process->lines);
}
