/* Reading a service's files forwards, one after the other. Which file comes next is found by inode,
 * so that any number of rotations may happen in between. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "reading.h"
#include "search.h"
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Stands at the end of the youngest file. */
static int open_youngest(struct file_reader *r)
{
    bool packed;
    int fd = files_open_youngest(&r->files, &packed), result;

    if (fd < 0)
        return fd;
    result = reading_switch(r, fd, packed);
    return result < 0 ? result : search_end(r);
}

static struct file_reader *of(struct log_reader *reader)
{
    return list_entry(reader, struct file_reader, reader);
}

static void close_files(struct log_reader *reader)
{
    struct file_reader *r = of(reader);

    reading_leave(r);
    closep(&r->files.dir_fd);
    free(r);
}

/* ---- going on ---- */

/* At the end of the file that is being written. */
static ssize_t read_cut(struct file_reader *r, char *buffer, size_t size)
{
    off_t end;
    int result = reading_size(r->fd, &end);

    if (result < 0 || end >= r->place)
        return result;
    r->place = 0; /* it was cut by others: what is there now is new */
    return reading_read(r, buffer, size);
}

/* 1: stands at the beginning of the next file; 0: there is none; -errno. */
static int next_file(struct file_reader *r)
{
    bool packed;
    int next = files_open_neighbour(&r->files, r->fd, FILES_YOUNGER, &packed), result;
    struct stat st;

    if (next == -ESTALE) {
        if (fstat(r->fd, &st) < 0)
            return -errno;
        next = files_open_oldest(&r->files, st.st_mtim, &packed);
    }
    if (next < 0)
        return next == -ENOENT ? 0 : next;
    result = reading_switch(r, next, packed);
    return result < 0 ? result : 1;
}

static ssize_t read_files(struct log_reader *reader, char *buffer, size_t size)
{
    struct file_reader *r = of(reader);

    for (;;) {
        ssize_t n = reading_read(r, buffer, size);
        int current;

        if (n != 0)
            return n;
        current = files_is_current(&r->files, r->fd);
        if (current == 1)
            return read_cut(r, buffer, size);
        if (current < 0 && current != -ENOENT)
            return current;
        n = reading_read(r, buffer, size); /* what came before it ceased to be the current one */
        if (n != 0)
            return n;
        current = next_file(r);
        if (current <= 0)
            return current;
    }
}

static bool has_more(const struct file_reader *r)
{
    off_t size;

    if (!r->unpacked && (reading_size(r->fd, &size) < 0 || size != r->place))
        return true;
    return files_is_current(&r->files, r->fd) == 0;
}

static void wait_files(struct log_reader *reader, int64_t until_mono, log_wait_done *done,
                       void *context)
{
    const struct file_reader *r = of(reader);
    /* Marked before it is looked: what is captured in between is noticed by wait_add(). */
    int64_t mark = wait_mark(reader->logs, r->service, r->stream);

    if (until_mono <= clock_mono_us() || has_more(r) ||
        !wait_add(reader->logs, r->service, r->stream, mark, until_mono, done, context))
        done(context);
}

static const struct reader_ops file_ops = {read_files, wait_files, close_files};

int file_reader_open(struct logs *logs, const char *service, enum stream stream, size_t lines,
                     int64_t back, struct log_reader **ret_reader)
{
    struct file_reader *r;
    int result;

    if (!service_name_valid(service)) /* it becomes a part of a path */
        return -ENOENT;
    r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    r->reader = (struct log_reader){&file_ops, logs};
    r->fd = -1;
    strcpy(r->service, service); /* a valid name is short enough */
    r->stream = stream;
    files_base(service, stream, r->base);
    r->files.base = r->base;
    r->files.dir_fd = fcntl(logs->dir_fd, F_DUPFD_CLOEXEC, 0);
    result = r->files.dir_fd < 0 ? -errno : 0;
    if (result == 0)
        result = open_youngest(r);
    if (result == 0 && lines > 0)
        result = search_back(r, lines, back);
    if (result < 0) {
        close_files(&r->reader);
        return result;
    }
    *ret_reader = &r->reader;
    return 0;
}
