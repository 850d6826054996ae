/* rest - requests over one kept connection to a Unix socket. */
#include "rest.h"

#include "measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_ROOM  65536
#define SECONDS_MAX 120 /* whoever says nothing for so long has lost the request */

void rest_open(struct rest *rest, const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = SECONDS_MAX};

    if (strlen(socket_path) >= sizeof address.sun_path)
        die("%s is too long for a socket's path", socket_path);
    strcpy(address.sun_path, socket_path);
    rest->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (rest->fd < 0 || connect(rest->fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        setsockopt(rest->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0)
        die("connect to %s: %m", socket_path);
    rest->room = FIRST_ROOM;
    rest->buffer = malloc(rest->room);
    if (!rest->buffer)
        die("out of memory");
}

/* Head and body leave together: a server that is asked in two parts waits for the second. */
static void send_request(struct rest *rest, const char *method, const char *path,
                         const char *body_type, const char *body)
{
    char head[512];
    struct iovec parts[2] = {{.iov_base = head}, {(char *)body, strlen(body)}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    int length = snprintf(head, sizeof head,
                          "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n%s%s%s\r\n",
                          method, path, parts[1].iov_len, *body_type ? "Content-Type: " : "",
                          body_type, *body_type ? "\r\n" : "");

    if (length >= (int)sizeof head)
        die("%s is too long a path", path);
    parts[0].iov_len = (size_t)length;
    if (sendmsg(rest->fd, &message, MSG_NOSIGNAL) != length + (ssize_t)parts[1].iov_len)
        die("%s %s: %m", method, path);
}

/* Reads on; the buffer stays a string. */
static size_t read_more(struct rest *rest, size_t have)
{
    ssize_t n;

    if (have + 1 == rest->room) {
        rest->room *= 2;
        rest->buffer = realloc(rest->buffer, rest->room);
        if (!rest->buffer)
            die("out of memory");
    }
    do
        n = recv(rest->fd, rest->buffer + have, rest->room - have - 1, 0);
    while (n < 0 && errno == EINTR); /* a limit on the time makes it end so at a stop */
    if (n < 0)
        die("read the answer: %m");
    if (n == 0)
        die("the connection was closed before the answer's end");
    rest->buffer[have + (size_t)n] = 0;
    return have + (size_t)n;
}

static size_t body_length(const char *head, const char *end)
{
    const char *field = strcasestr(head, "\r\nContent-Length:");

    if (!field || field > end)
        die("an answer without Content-Length:\n%s", head);
    return strtoul(field + strlen("\r\nContent-Length:"), NULL, 10);
}

static int read_answer(struct rest *rest, const char **ret_body)
{
    size_t have = 0, whole;
    char *end;
    int status;

    do
        have = read_more(rest, have);
    while (!(end = strstr(rest->buffer, "\r\n\r\n")));
    if (sscanf(rest->buffer, "HTTP/1.%*1d %3d", &status) != 1)
        die("not an answer of HTTP:\n%s", rest->buffer);
    whole = (size_t)(end + 4 - rest->buffer) + body_length(rest->buffer, end);
    while (have < whole) /* which may move the buffer */
        have = read_more(rest, have);
    if (ret_body)
        *ret_body = strstr(rest->buffer, "\r\n\r\n") + 4;
    return status;
}

int rest_ask(struct rest *rest, const char *method, const char *path, const char **ret_body)
{
    send_request(rest, method, path, "", "");
    return read_answer(rest, ret_body);
}

int rest_post(struct rest *rest, const char *path, const char *body_type, const char *body,
              const char **ret_body)
{
    send_request(rest, "POST", path, body_type, body);
    return read_answer(rest, ret_body);
}

void rest_close(struct rest *rest)
{
    close(rest->fd);
    free(rest->buffer);
}
