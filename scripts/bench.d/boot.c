/* boot - from the execve of a supervisor until so many services have said that they are there; then
 * the supervisor is sent a signal, and it is waited until it and all of them are gone.
 *
 * All services write to one FIFO, which this program makes, and keep it open. Appends one sample to
 * a file; prints it and the processor time of the supervisor itself until then. Threads: one. */
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 120000
#define ROOM        65536

static int open_lines(const char *path)
{
    int fd;

    if (mkfifo(path, 0600) < 0 && errno != EEXIST)
        die("make %s: %m", path);
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        die("open %s: %m", path);
    return fd;
}

/* It ends with us, in its own way. */
static pid_t start(char **argv, int end_signal)
{
    pid_t pid = fork();

    if (pid < 0)
        die("fork: %m");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, end_signal);
        execv(argv[0], argv);
        die("execute %s: %m", argv[0]);
    }
    return pid;
}

static int count_lines(const char *text, ssize_t len)
{
    int lines = 0;

    for (ssize_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    return lines;
}

static void await(int fd, short events, const char *what, int have, int count)
{
    struct pollfd wait = {.fd = fd, .events = events};
    int n;

    do
        n = poll(&wait, 1, PATIENCE_MS);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        die("wait for the services' %s: %d of %d have come", what, have, count);
}

static void await_lines(int fd, int count)
{
    static char text[ROOM];
    int have = 0;

    while (have < count) {
        ssize_t n;

        await(fd, POLLIN, "lines", have, count);
        n = read(fd, text, sizeof text);
        /* At an end nobody has it open: a crashed one writes again when it is back. */
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            die("read the services' lines: %m");
        have += count_lines(text, n);
    }
}

/* The FIFO hangs up when the last service is gone; whoever is started again meanwhile writes. */
static void await_ends(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char text[4096];

    for (;;) {
        await(fd, POLLIN, "ends", 0, 1);
        if (poll(&wait, 1, 0) == 1 && wait.revents == POLLHUP)
            return;
        if (read(fd, text, sizeof text) < 0 && errno != EAGAIN && errno != EINTR)
            die("read the services' lines: %m");
    }
}

static int signal_of(const char *name)
{
    if (strcmp(name, "TERM") == 0)
        return SIGTERM;
    if (strcmp(name, "HUP") == 0)
        return SIGHUP;
    die("%s is not TERM or HUP", name);
}

int main(int argc, char **argv)
{
    struct samples samples = {0};
    int64_t begin, cpu;
    int fd, count, end_signal, status;
    pid_t pid;

    if (argc < 6)
        die("usage: boot COUNT FIFO SAMPLES-FILE TERM|HUP COMMAND [ARGUMENT]...");
    count = number_of(argv[1]);
    fd = open_lines(argv[2]);
    end_signal = signal_of(argv[4]);
    begin = now_ns();
    pid = start(argv + 5, end_signal);
    await_lines(fd, count);
    samples_add(&samples, now_ns() - begin);
    cpu = cpu_ns(pid);
    kill(pid, end_signal);
    if (waitpid(pid, &status, 0) < 0)
        die("wait for the supervisor: %m");
    await_ends(fd);
    samples_write(&samples, argv[3]);
    printf("%.1f ms, cpu %.1f ms\n", (double)samples.ns[0] / 1e6, (double)cpu / 1e6);
    samples_deinit(&samples);
    return 0;
}
