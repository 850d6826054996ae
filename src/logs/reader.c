/* Reading, backwards to find where to begin, then forwards from file to file. Which file comes next
 * is found by inode, so that any number of rotations may happen in between. */
#include "reader.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 16384

struct log_reader {
    struct logs *logs;
    char service[SERVICE_NAME_MAX + 1];
    struct log_files files; /* its dir_fd is ours */
    int fd;                 /* the file that is being read */
    off_t place;            /* in it */
};

static void switch_to(struct log_reader *r, int fd, off_t place)
{
    close(r->fd);
    r->fd = fd;
    r->place = place;
}

/* ---- finding the beginning ---- */

struct search {
    size_t lines; /* line ends still to be passed */
    int64_t back; /* bytes that may still be looked at */
    bool at_end;  /* nothing was looked at yet: the end of the last line is not counted */
};

/* Goes back in this file. 1: found, 0: its beginning was reached, or -errno. */
static int search_file(struct log_reader *r, struct search *s)
{
    char block[BLOCK];

    while (r->place > 0) {
        size_t size = r->place < BLOCK ? (size_t)r->place : BLOCK;
        ssize_t n;

        if (s->back == 0)
            return 1;
        if ((int64_t)size > s->back)
            size = (size_t)s->back;
        n = pread(r->fd, block, size, r->place - (off_t)size);
        if (n < 0)
            return -errno;
        if ((size_t)n < size) /* it was cut by others */
            return 1;
        for (size_t i = size; i > 0; i--) {
            bool ends = block[i - 1] == '\n' && !s->at_end;

            s->at_end = false;
            if (ends && --s->lines == 0) {
                r->place -= (off_t)(size - i);
                return 1;
            }
        }
        r->place -= (off_t)size;
        s->back -= (int64_t)size;
    }
    return 0;
}

static int size_of(int fd, off_t *ret_size)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    *ret_size = st.st_size;
    return 0;
}

static int search_back(struct log_reader *r, size_t lines, int64_t back)
{
    struct search s = {.lines = lines, .back = back, .at_end = true};

    for (;;) {
        off_t size = 0;
        int found = 0, older;

        if (lines == SIZE_MAX)
            r->place = 0;
        else
            found = search_file(r, &s);
        if (found != 0)
            return found < 0 ? found : 0;
        older = files_open_neighbour(&r->files, r->fd, FILES_OLDER);
        if (older < 0)
            return older == -ENOENT || older == -ESTALE ? 0 : older;
        if (size_of(older, &size) < 0)
            size = 0;
        switch_to(r, older, size);
    }
}

int reader_open(struct logs *logs, const char *service, size_t lines, int64_t back,
                struct log_reader **ret_reader)
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
    r->files.service = r->service;
    r->files.dir_fd = fcntl(logs->dir_fd, F_DUPFD_CLOEXEC, 0);
    result = r->files.dir_fd < 0 ? -errno : 0;
    if (result == 0) {
        r->fd = files_open_youngest(&r->files);
        result = r->fd < 0 ? r->fd : size_of(r->fd, &r->place);
    }
    if (result == 0 && lines > 0)
        result = search_back(r, lines, back);
    if (result < 0) {
        log_reader_close(r);
        return result;
    }
    *ret_reader = r;
    return 0;
}

int log_reader_open(struct logs *logs, const char *service, size_t lines,
                    struct log_reader **ret_reader, struct error *err)
{
    int result = reader_open(logs, service, lines, INT64_MAX, ret_reader);

    if (result == -ENOENT)
        return error_set(err, result, "%s has no log yet", service);
    return result < 0 ? error_set(err, result, "read the log of %s: %m", service) : 0;
}

void log_reader_close(struct log_reader *r)
{
    if (!r)
        return;
    closep(&r->fd);
    closep(&r->files.dir_fd);
    free(r);
}

/* ---- going on ---- */

static ssize_t read_file(struct log_reader *r, char *buffer, size_t size)
{
    ssize_t n = pread(r->fd, buffer, size, r->place);

    if (n < 0)
        return -errno;
    r->place += n;
    return n;
}

/* At the end of the file that is being written. */
static ssize_t read_cut(struct log_reader *r, char *buffer, size_t size)
{
    off_t end;
    int result = size_of(r->fd, &end);

    if (result < 0 || end >= r->place)
        return result;
    r->place = 0; /* it was cut by others: what is there now is new */
    return read_file(r, buffer, size);
}

/* 1: stands at the beginning of the next file; 0: there is none; -errno. */
static int next_file(struct log_reader *r)
{
    int next = files_open_neighbour(&r->files, r->fd, FILES_YOUNGER);
    struct stat st;

    if (next == -ESTALE) {
        if (fstat(r->fd, &st) < 0)
            return -errno;
        next = files_open_oldest(&r->files, st.st_mtim);
    }
    if (next < 0)
        return next == -ENOENT ? 0 : next;
    switch_to(r, next, 0);
    return 1;
}

ssize_t log_reader_read(struct log_reader *r, char *buffer, size_t size)
{
    for (;;) {
        ssize_t n = read_file(r, buffer, size);
        int current;

        if (n != 0)
            return n;
        current = files_is_current(&r->files, r->fd);
        if (current == 1)
            return read_cut(r, buffer, size);
        if (current < 0 && current != -ENOENT)
            return current;
        n = read_file(r, buffer, size); /* what came before it ceased to be the current one */
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

    if (size_of(r->fd, &size) < 0 || size != r->place)
        return true;
    return files_is_current(&r->files, r->fd) == 0;
}

void log_reader_wait(struct log_reader *reader, int64_t until_mono, log_wait_done *done,
                     void *context)
{
    /* Marked before it is looked: what is captured in between is noticed by wait_add(). */
    int64_t mark = wait_mark(reader->logs, reader->service);

    if (until_mono <= clock_mono_us() || has_more(reader) ||
        !wait_add(reader->logs, reader->service, mark, until_mono, done, context))
        done(context);
}
