/* stuck_clients - connections to a Unix socket that hold on to it: a third have sent half a head, a
 * third do not read the answer to PATH, a third wait for the answer to WAIT-PATH.
 *
 * Says "ready" when all are stuck, and each unread answer has begun; one that is cut off is opened
 * anew. Told to stop, prints how many were cut off and how many of the waits were answered.
 * Threads: one. */
#include "ending.h"
#include "measure.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_MS 60000

enum kind { HALF_A_HEAD, NOT_READING, WAITING, KINDS };

struct clients {
    const char *socket;
    char requests[KINDS][512];
    struct pollfd *fds; /* the last is told of the end */
    int count;
    long cut, answered;
};

static enum kind kind_of(int number)
{
    return (enum kind)(number % KINDS);
}

static void open_client(struct clients *c, int number)
{
    const char *request = c->requests[kind_of(number)];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, c->socket);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("connect to %s: %m", c->socket);
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
        die("send: %m");
    c->fds[number] = (struct pollfd){.fd = fd, .events = POLLRDHUP};
    if (kind_of(number) == WAITING)
        c->fds[number].events |= POLLIN;
}

static void look_at(struct clients *c, int number)
{
    if (!c->fds[number].revents)
        return;
    if (c->fds[number].revents & (POLLRDHUP | POLLHUP | POLLERR))
        c->cut++;
    else
        c->answered++;
    close(c->fds[number].fd);
    open_client(c, number);
}

static void stay_stuck(struct clients *c)
{
    while (!c->fds[c->count].revents) {
        if (poll(c->fds, (nfds_t)c->count + 1, -1) < 0 && errno != EINTR)
            die("poll: %m");
        for (int i = 0; i < c->count; i++)
            look_at(c, i);
    }
}

/* What it costs to begin them belongs to nobody's measurement. */
static void await_answers(struct clients *c)
{
    for (int i = 0; i < c->count; i++) {
        struct pollfd fd = {.fd = c->fds[i].fd, .events = POLLIN};

        if (kind_of(i) == NOT_READING && poll(&fd, 1, PATIENCE_MS) != 1)
            die("an answer does not begin");
    }
}

static void write_requests(struct clients *c, const char *path, const char *wait_path)
{
    static const char get[] = "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n";
    size_t size = sizeof c->requests[0];

    strcpy(c->requests[HALF_A_HEAD], "GET /status HTTP/1.1\r\nHost: loc");
    if (snprintf(c->requests[NOT_READING], size, get, path) >= (int)size ||
        snprintf(c->requests[WAITING], size, get, wait_path) >= (int)size)
        die("too long a path");
}

int main(int argc, char **argv)
{
    struct clients c;

    if (argc != 5 || strlen(argv[1]) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        die("usage: stuck_clients SOCKET COUNT PATH WAIT-PATH");
    c = (struct clients){.socket = argv[1], .count = number_of(argv[2])};
    write_requests(&c, argv[3], argv[4]);
    c.fds = calloc((size_t)c.count + 1, sizeof *c.fds);
    if (!c.fds)
        die("out of memory");
    ending_prepare();
    c.fds[c.count] = (struct pollfd){.fd = ending_fd(), .events = POLLIN};
    for (int i = 0; i < c.count; i++)
        open_client(&c, i);
    await_answers(&c);
    ending_ready();
    stay_stuck(&c);
    printf("cut %ld answered %ld\n", c.cut, c.answered);
    free(c.fds);
    return 0;
}
