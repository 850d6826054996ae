/* crowd - many kept connections to one Unix socket, each with one request under way at a time. */
#include "crowd.h"

#include "measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ROOM        262144
#define EVENTS      64
#define NOT_CHANGED 304

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof address.sun_path)
        die("%s is too long for a socket's path", path);
    strcpy(address.sun_path, path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("connect to %s: %m", path);
    return fd;
}

void crowd_open(struct crowd *crowd, const char *socket, int count)
{
    crowd->count = count;
    crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
    crowd->members = calloc((size_t)count, sizeof *crowd->members);
    crowd->room = malloc(ROOM);
    if (crowd->epoll < 0 || !crowd->members || !crowd->room)
        die("make a crowd of %d: %m", count);
    for (int i = 0; i < count; i++) {
        struct member *member = &crowd->members[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = member};

        *member = (struct member){.fd = connect_to(socket), .number = i};
        if (epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, member->fd, &event) < 0)
            die("watch a connection: %m");
    }
}

void crowd_ask(struct member *member, const char *request, size_t len)
{
    if (member->asking)
        die("a connection is asked for a second request");
    member->asking = true;
    member->asked = now_ns();
    member->in_body = false;
    member->head_len = member->body_len = member->body_due = 0;
    if (send(member->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
        die("send a request: %m");
}

bool member_field(const struct member *member, const char *name, char *ret_value, size_t size)
{
    const char *at = strcasestr(member->head, name);
    size_t len;

    if (!at || at[strlen(name)] != ':')
        return false;
    at += strlen(name) + 1;
    at += strspn(at, " \"");
    len = strcspn(at, "\"\r\n");
    if (len >= size)
        die("%s is too long a field", name);
    memcpy(ret_value, at, len);
    ret_value[len] = 0;
    return true;
}

static void begin_body(struct member *member)
{
    char length[32];

    member->in_body = true;
    if (sscanf(member->head, "HTTP/1.1 %3d", &member->status) != 1)
        die("not an answer of HTTP/1.1:\n%s", member->head);
    if (member->status == NOT_CHANGED)
        return;
    if (!member_field(member, "\nContent-Length", length, sizeof length))
        die("an answer without Content-Length:\n%s", member->head);
    member->body_due = strtoul(length, NULL, 10);
}

/* Takes the head's part of some bytes; returns how many those are. */
static size_t take_head(struct member *member, const char *data, size_t len)
{
    size_t before = member->head_len, free_room = CROWD_HEAD - 1 - before, taken;
    const char *end;

    taken = len < free_room ? len : free_room;
    memcpy(member->head + before, data, taken);
    member->head_len += taken;
    member->head[member->head_len] = 0;
    end = strstr(member->head, "\r\n\r\n");
    if (!end && taken < len)
        die("too long a head:\n%s", member->head);
    if (!end)
        return taken;
    member->head_len = (size_t)(end + 4 - member->head);
    member->head[member->head_len] = 0;
    begin_body(member);
    return member->head_len - before;
}

static void take_body(struct member *member, const char *data, size_t len)
{
    if (member->body_len < CROWD_BODY - 1) {
        size_t kept = CROWD_BODY - 1 - member->body_len;

        kept = kept < len ? kept : len;
        memcpy(member->body + member->body_len, data, kept);
        member->body[member->body_len + kept] = 0;
    }
    member->body_len += len;
    if (member->body_len > member->body_due)
        die("more came than the answer to one request");
}

static void receive(struct crowd *crowd, struct member *member)
{
    ssize_t n = recv(member->fd, crowd->room, ROOM, MSG_DONTWAIT);
    size_t used = 0;

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die("a connection ended: %s", n < 0 ? strerror(errno) : "it was closed");
    if (!member->in_body)
        used = take_head(member, crowd->room, (size_t)n);
    if (!member->in_body)
        return;
    take_body(member, crowd->room + used, (size_t)n - used);
    if (member->body_len < member->body_due)
        return;
    member->asking = false;
    crowd->answered(crowd, member);
}

void crowd_turn(struct crowd *crowd, int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(crowd->epoll, events, EVENTS, timeout_ms);

    if (count < 0 && errno != EINTR)
        die("wait for answers: %m");
    for (int i = 0; i < count; i++)
        receive(crowd, events[i].data.ptr);
}

void crowd_close(struct crowd *crowd)
{
    for (int i = 0; i < crowd->count; i++)
        close(crowd->members[i].fd);
    close(crowd->epoll);
    free(crowd->members);
    free(crowd->room);
}
