/* bare_process - a process and the least that can be done with it. */
#include "bare_process.h"

#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#define PATIENCE_MS 120000

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
    int ends[2];
    char line;

    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe: %m");
    spawn_process(&process->spawned, argv, ends[1]);
    close(ends[1]);
    process->lines = ends[0];
    await(process->lines, "first line");
    if (read(process->lines, &line, 1) != 1 || line != '\n')
        die("%s ended before it wrote a line", argv[0]);
}

void bare_stop(struct bare_process *process)
{
    if (pidfd_send_signal(process->spawned.child.pidfd, SIGTERM, NULL, 0) < 0)
        die("pidfd_send_signal: %m");
    await(process->spawned.child.pidfd, "end");
    spawn_reap(&process->spawned);
    close(process->lines);
}
