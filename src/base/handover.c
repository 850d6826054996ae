#include "base/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int handover_add(struct handover *h, int fd)
{
    int copy = h->count < HANDOVER_MAX ? fcntl(fd, F_DUPFD, 3) : -1;

    if (copy < 0)
        return h->count < HANDOVER_MAX ? -errno : -ENOSPC;
    h->fds[h->count++] = copy;
    return 0;
}

void handover_format(const struct handover *h, char text[static HANDOVER_TEXT])
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < h->count; i++)
        if (h->fds[i] >= 0)
            used += (size_t)snprintf(text + used, HANDOVER_TEXT - used, "%s%d", used ? "," : "",
                                     h->fds[i]);
}

void handover_parse(struct handover *h, const char *text)
{
    *h = (struct handover){0};
    while (text && *text && h->count < HANDOVER_MAX) {
        char *end;
        long fd = strtol(text, &end, 10);

        if (end == text)
            return;
        if (fd > STDERR_FILENO && fd <= 1 << 20 && fcntl((int)fd, F_SETFD, FD_CLOEXEC) == 0)
            h->fds[h->count++] = (int)fd;
        text = *end == ',' ? end + 1 : "";
    }
}

static int take_at(struct handover *h, size_t i)
{
    int fd = h->fds[i];

    h->fds[i] = -1;
    return fd;
}

int handover_take_file(struct handover *h, const struct stat *file)
{
    struct stat st;

    for (size_t i = 0; i < h->count; i++)
        if (h->fds[i] >= 0 && fstat(h->fds[i], &st) == 0 && st.st_dev == file->st_dev &&
            st.st_ino == file->st_ino)
            return take_at(h, i);
    return -1;
}

int handover_take_socket(struct handover *h, const struct sockaddr *address, socklen_t len)
{
    for (size_t i = 0; i < h->count; i++) {
        struct sockaddr_storage own = {0};
        socklen_t own_len = sizeof own, size = sizeof(int);
        int listens = 0;

        if (h->fds[i] >= 0 &&
            getsockopt(h->fds[i], SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
            getsockname(h->fds[i], (struct sockaddr *)&own, &own_len) == 0 && own_len <= len &&
            memcmp(&own, address, own_len) == 0)
            return take_at(h, i);
    }
    return -1;
}

void handover_close(struct handover *h)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->fds[i] >= 0)
            close(h->fds[i]);
    h->count = 0;
}
