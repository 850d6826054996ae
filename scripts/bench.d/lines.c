/* lines - the FIFOs in which services say that they are there. */
#include "lines.h"

#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_ROOM   16
#define PATIENCE_MS 120000

int line_open(const char *folder, int number)
{
    char path[4096];
    int fd;

    if (snprintf(path, sizeof path, "%s/%d.fifo", folder, number) >= (int)sizeof path)
        die("%s is too long a path", folder);
    if (mkfifo(path, 0600) < 0 && errno != EEXIST)
        die("make %s: %m", path);
    fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        die("open %s: %m", path);
    return fd;
}

static void await_line(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int n;

    do
        n = poll(&wait, 1, PATIENCE_MS);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        die("wait for a service's line: %s", n < 0 ? "poll failed" : "it does not come");
}

/* A line is written whole, and is the only one: so it is there whole. */
pid_t line_read(int fd)
{
    char line[LINE_ROOM] = "";
    ssize_t n;

    do {
        await_line(fd);
        n = read(fd, line, sizeof line - 1);
    } while (n < 0 && (errno == EAGAIN || errno == EINTR));
    if (n < 2 || line[n - 1] != '\n' || atoi(line) < 2)
        die("\"%s\" is not one line with a pid", line);
    return (pid_t)atoi(line);
}

void line_restore(int fd, pid_t pid)
{
    if (dprintf(fd, "%d\n", pid) < 0)
        die("put a service's line back: %m");
}
