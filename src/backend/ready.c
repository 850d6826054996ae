/* ready - the FIFO on which a service with readiness `fd` says that it is ready. */
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/file.h"
#include "process_instance.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PIPE_HOLDS 65536

char *ready_path(const struct process_backend *backend, const char *service)
{
    char *path;

    return asprintf(&path, "%s/%s/ready", backend->runtime_dir, service) < 0 ? NULL : path;
}

/* Read-write, so that it neither waits for a writer nor reports the end of each. */
int ready_open(const char *path)
{
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
    struct stat st;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode)) {
        close(fd);
        return -EINVAL;
    }
    return fd;
}

int ready_make(const char *path, const struct service_spec *spec, struct error *err)
{
    CLEANUP(freep) char *copy = strdup(path);
    CLEANUP(closep) int fd = -1;
    int r;

    if (!copy)
        return error_set(err, -ENOMEM, "make %s: %m", path);
    r = file_make_folder(dirname(copy), 0755, err);
    if (r < 0)
        return r;
    if ((unlink(path) < 0 && errno != ENOENT) || FAULTS(ready_make) || mkfifo(path, 0600) < 0)
        return error_set(err, -errno, "make FIFO %s: %m", path);
    fd = ready_open(path);
    if (fd < 0)
        return error_set(err, fd, "open FIFO %s: %m", path);
    if (spec->set_user && fchown(fd, spec->uid, spec->gid) < 0)
        return error_set(err, -errno, "give FIFO %s to user %s: %m", path, spec->user);
    return take_fd(&fd);
}

bool ready_closed(const char *path)
{
    CLEANUP(closep) int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

    return fd < 0 && errno == ENXIO;
}

/* What was written is looked at through a copy and stays where it is: a daemon that is killed right
 * now leaves it for the next one. Only what holds no newline is thrown away. */
bool ready_told(const int copy[static 2], int fd)
{
    char data[512];
    bool told = false;
    ssize_t copied, n;

    copied = tee(fd, copy[1], PIPE_HOLDS, SPLICE_F_NONBLOCK);
    for (ssize_t left = copied; left > 0; left -= n) {
        n = read(copy[0], data, sizeof data);
        if (n <= 0)
            return false; /* can't be: it is there, and nobody else reads it */
        told = told || memchr(data, '\n', (size_t)n);
    }
    if (told)
        return true;
    for (; copied > 0; copied -= n) {
        n = read(fd, data, (size_t)copied < sizeof data ? (size_t)copied : sizeof data);
        if (n <= 0)
            break;
    }
    return false;
}
