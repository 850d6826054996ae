/* Making, owning and looking into a service's FIFO. */
#include "fifo.h"

#include "base/cleanup.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

int fifo_open(const char *path, int *ret_fd, struct error *err)
{
    CLEANUP(closep) int fd = -1;
    struct stat st;

    if (FAULTS(fifo_make) || (mkfifo(path, 0600) < 0 && errno != EEXIST))
        return error_set(err, -errno, "make FIFO %s: %m", path);
    if (lstat(path, &st) < 0)
        return error_set(err, -errno, "look at %s: %m", path);
    if (!S_ISFIFO(st.st_mode))
        return error_set(err, -EEXIST, "%s is in the way: it is not a FIFO", path);
    fd = FAULTS(fifo_open) ? -1 : open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_set(err, -errno, "open %s: %m", path);
    *ret_fd = take_fd(&fd);
    return 0;
}

int fifo_own(int fd, const struct service_spec *spec, struct error *err)
{
    uid_t uid = spec->set_user ? spec->uid : geteuid();
    gid_t gid = spec->set_user ? spec->gid : getegid();
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_set(err, -errno, "look at the FIFO of %s: %m", spec->name);
    if ((st.st_uid != uid || st.st_gid != gid) && fchown(fd, uid, gid) < 0)
        return error_set(err, -errno, "give the FIFO of %s to user %u, group %u: %m", spec->name,
                         uid, gid);
    if ((st.st_mode & 07777) != 0600 && fchmod(fd, 0600) < 0)
        return error_set(err, -errno, "set the mode of the FIFO of %s: %m", spec->name);
    return 0;
}

size_t fifo_waiting(int fd)
{
    int waiting = 0;

    ioctl(fd, FIONREAD, &waiting); /* cannot fail on a FIFO */
    return (size_t)waiting;
}

/* Where splice is refused it is read away. */
static ssize_t read_away(int fd, size_t count)
{
    char block[4096];
    ssize_t n = read(fd, block, count < sizeof block ? count : sizeof block);

    return n < 0 ? -errno : n;
}

ssize_t fifo_discard(int fd, int null_fd, size_t count)
{
    size_t gone = 0;

    while (gone < count) {
        ssize_t n = splice(fd, NULL, null_fd, NULL, count - gone, SPLICE_F_NONBLOCK);

        if (n < 0)
            n = errno == EINVAL || errno == EBADF ? read_away(fd, count - gone) : -errno;
        if (n == -EINTR)
            continue;
        if (n == 0 || (n < 0 && (n == -EAGAIN || gone > 0)))
            break;
        if (n < 0)
            return n;
        gone += (size_t)n;
    }
    return (ssize_t)gone;
}

int peek_init(struct peek *peek)
{
    peek->data = malloc(PEEK_MAX);
    if (!peek->data)
        return -ENOMEM;
    return pipe2(peek->pipe, O_NONBLOCK | O_CLOEXEC) < 0 ? -errno : 0;
}

void peek_deinit(struct peek *peek)
{
    closep(&peek->pipe[0]);
    closep(&peek->pipe[1]);
    free(peek->data);
}

ssize_t fifo_peek(int fd, struct peek *peek, size_t max)
{
    ssize_t copied = tee(fd, peek->pipe[1], max < PEEK_MAX ? max : PEEK_MAX, SPLICE_F_NONBLOCK);

    if (copied < 0)
        return errno == EAGAIN ? 0 : -errno;
    for (ssize_t got = 0; got < copied;) {
        ssize_t n = read(peek->pipe[0], peek->data + got, (size_t)(copied - got));

        if (n <= 0) /* cannot happen: what tee has put there is there */
            return n < 0 ? -errno : -EIO;
        got += n;
    }
    return copied;
}
