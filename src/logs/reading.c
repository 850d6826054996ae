/* zlib finds its way in a packed file; a plain one is read at an offset. */
#include "reading.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

void reading_leave(struct file_reader *r)
{
    if (r->unpacked)
        gzclose_r(r->unpacked);
    r->unpacked = NULL;
    closep(&r->fd);
    r->fd = -1;
}

int reading_switch(struct file_reader *r, int fd, bool packed)
{
    int copy = packed ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;

    reading_leave(r);
    r->fd = fd;
    r->place = 0;
    if (!packed)
        return 0;
    if (copy < 0)
        return -errno;
    r->unpacked = gzdopen(copy, "r"); /* takes the copy */
    if (!r->unpacked)
        close(copy);
    return r->unpacked ? 0 : -ENOMEM;
}

int reading_rewind(struct file_reader *r)
{
    r->place = 0;
    return r->unpacked && gzrewind(r->unpacked) < 0 ? -EIO : 0;
}

ssize_t reading_read(struct file_reader *r, char *buffer, size_t size)
{
    ssize_t n;

    if (r->unpacked) {
        n = gzread(r->unpacked, buffer, size < INT_MAX ? (unsigned)size : INT_MAX);
        n = n < 0 ? 0 : n;
    } else {
        n = pread(r->fd, buffer, size, r->place);
    }
    if (n < 0)
        return -errno;
    r->place += n;
    return n;
}

int reading_size(int fd, off_t *ret_size)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    *ret_size = st.st_size;
    return 0;
}
