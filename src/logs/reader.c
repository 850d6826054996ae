/* Reading forwards, from file to file. Which file comes next is found by inode, so that any number
 * of rotations may happen in between. */
#include "reader.h"

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
static int open_youngest(struct log_reader *r)
{
    bool packed;
    int fd = files_open_youngest(&r->files, &packed), result;

    if (fd < 0)
        return fd;
    result = reading_switch(r, fd, packed);
    return result < 0 ? result : search_end(r);
}

int reader_open(struct logs *logs, const char *service, enum stream stream, size_t lines,
                int64_t back, struct log_reader **ret_reader)
{
    struct log_reader *r;
    int result;

    if (!service_name_valid(service)) /* it becomes a part of a path */
        return -ENOENT;
    r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    r->logs = logs;
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
        log_reader_close(r);
        return result;
    }
    *ret_reader = r;
    return 0;
}

int log_reader_open(struct logs *logs, const char *service, enum stream stream, size_t lines,
                    struct log_reader **ret_reader, struct error *err)
{
    int result = reader_open(logs, service, stream, lines, INT64_MAX, ret_reader);

    if (result == -ENOENT)
        return error_set(err, result, "%s has no log yet", service);
    return result < 0 ? error_set(err, result, "read the log of %s: %m", service) : 0;
}

void log_reader_close(struct log_reader *r)
{
    if (!r)
        return;
    reading_leave(r);
    closep(&r->files.dir_fd);
    free(r);
}

/* ---- going on ---- */

/* At the end of the file that is being written. */
static ssize_t read_cut(struct log_reader *r, char *buffer, size_t size)
{
    off_t end;
    int result = reading_size(r->fd, &end);

    if (result < 0 || end >= r->place)
        return result;
    r->place = 0; /* it was cut by others: what is there now is new */
    return reading_read(r, buffer, size);
}

/* 1: stands at the beginning of the next file; 0: there is none; -errno. */
static int next_file(struct log_reader *r)
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

ssize_t log_reader_read(struct log_reader *r, char *buffer, size_t size)
{
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

static bool has_more(const struct log_reader *r)
{
    off_t size;

    if (!r->unpacked && (reading_size(r->fd, &size) < 0 || size != r->place))
        return true;
    return files_is_current(&r->files, r->fd) == 0;
}

void log_reader_wait(struct log_reader *reader, int64_t until_mono, log_wait_done *done,
                     void *context)
{
    /* Marked before it is looked: what is captured in between is noticed by wait_add(). */
    int64_t mark = wait_mark(reader->logs, reader->service, reader->stream);

    if (until_mono <= clock_mono_us() || has_more(reader) ||
        !wait_add(reader->logs, reader->service, reader->stream, mark, until_mono, done, context))
        done(context);
}
