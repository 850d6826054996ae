/* Moves bytes with splice(2) at an explicit offset, the file's size. The kernel takes from the FIFO
 * what it has written and not before: a daemon that is killed at any point loses and doubles
 * nothing. Lines that get a stamp can't go that way: they are copied, written, and taken then; a
 * kill between the two doubles at most one portion (PEEK_MAX). The size is asked for each time, so
 * that a file that others have cut or removed is gone on with. */
#include "keep.h"

#include "age.h"
#include "base/clock.h"
#include "base/fault.h"
#include "move.h"
#include "rotate.h"
#include "stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Gives the file's size; one that is not open, or that others have removed, is made anew. */
static int look_at_file(struct channel *ch, struct stat *ret_st)
{
    int fd;

    if (ch->file_fd >= 0 && fstat(ch->file_fd, ret_st) < 0)
        return -errno;
    if (ch->file_fd >= 0 && ret_st->st_nlink > 0)
        return 0;
    fd = files_open_current(&ch->files);
    if (fd < 0)
        return fd;
    if (ch->file_fd >= 0)
        close(ch->file_fd);
    ch->file_fd = fd;
    return fstat(fd, ret_st) < 0 ? -errno : 0;
}

/* ---- plain ---- */

/* For file systems that can't splice: what was written is taken after that. A kill in between
 * doubles it. */
static ssize_t copy(struct channel *ch, size_t bytes, off_t offset)
{
    struct peek *peek = &ch->log->logs->peek;
    ssize_t count = fifo_peek(ch->fifo_fd, peek, bytes), written;

    if (count <= 0)
        return count;
    written = pwrite(ch->file_fd, peek->data, (size_t)count, offset);
    if (written < 0)
        return -errno;
    return fifo_discard(ch->fifo_fd, ch->log->logs->null_fd, (size_t)written);
}

static ssize_t splice_or_copy(struct channel *ch, size_t bytes, off_t offset)
{
    ssize_t n;

    if (!ch->copies) {
        n = FAULTS(log_splice)
                ? -1
                : splice(ch->fifo_fd, NULL, ch->file_fd, &offset, bytes, SPLICE_F_NONBLOCK);
        if (n >= 0 || errno != EINVAL)
            return n < 0 ? -errno : n;
        ch->copies = true;
    }
    return copy(ch, bytes, offset);
}

static int plan_plain(struct channel *ch, const struct settings *s, int64_t size, size_t max,
                      struct portion *ret_portion)
{
    int64_t limit = rotate_limit(ch, s);
    struct peek *peek = &ch->log->logs->peek;
    size_t waiting;
    ssize_t count;

    *ret_portion = (struct portion){.bytes = max};
    if (limit == 0 || limit - size >= (int64_t)max)
        return 0;
    waiting = fifo_waiting(ch->fifo_fd);
    if (waiting > max)
        waiting = max;
    ret_portion->bytes = waiting;
    if (size + (int64_t)waiting <= limit)
        return 0;
    count = fifo_peek(ch->fifo_fd, peek, waiting);
    if (count < 0)
        return (int)count;
    *ret_portion = rotate_cut(ch, limit, size, peek->data, (size_t)count);
    return 0;
}

/* Whether all of the portion was written is in *ret_whole. */
static ssize_t move_plain(struct channel *ch, const struct portion *portion, int64_t size,
                          bool *ret_whole)
{
    struct moved moved = {0};
    ssize_t n;

    move_begin(ch);
    n = splice_or_copy(ch, portion->bytes, size);
    moved.taken = moved.filed = n > 0 ? (size_t)n : 0;
    move_end(ch, &moved);
    *ret_whole = n == (ssize_t)portion->bytes;
    return n;
}

/* ---- with stamps ---- */

static int plan_stamped(struct channel *ch, const struct settings *s, int64_t size, size_t max,
                        struct portion *ret_portion)
{
    struct logs *logs = ch->log->logs;
    char stamp[STAMP_SIZE + 1];
    ssize_t count;
    size_t len;

    if (!logs->stamped)
        logs->stamped = malloc(STAMPED_MAX);
    if (!logs->stamped)
        return -ENOMEM;
    count = fifo_peek(ch->fifo_fd, &logs->peek, max);
    if (count < 0)
        return (int)count;
    stamp_now(stamp);
    len = stamp_lines(logs->peek.data, (size_t)count, rotate_at_line(ch, size), stamp,
                      logs->stamped, STAMPED_MAX);
    *ret_portion = rotate_cut(ch, rotate_limit(ch, s), size, logs->stamped, len);
    return 0;
}

/* How much was written; less than all: *ret_error says why. */
static size_t write_stamped(struct channel *ch, size_t size, off_t offset, int *ret_error)
{
    const char *data = ch->log->logs->stamped;
    size_t written = 0;

    *ret_error = 0;
    while (written < size && *ret_error == 0) {
        ssize_t n = pwrite(ch->file_fd, data + written, size - written, offset + (off_t)written);

        if (n < 0)
            *ret_error = -errno;
        else
            written += (size_t)n;
    }
    return written;
}

static ssize_t move_stamped(struct channel *ch, const struct portion *portion, int64_t size,
                            bool *ret_whole)
{
    bool at_line = rotate_at_line(ch, size);
    struct moved moved = {0};
    ssize_t taken = 0;
    int error;
    size_t written = write_stamped(ch, portion->bytes, size, &error);

    *ret_whole = written == portion->bytes;
    moved.taken = stamp_source(ch->log->logs->stamped, written, at_line, &moved.filed);
    /* A part of a time says nothing; making a file shorter needs no room. */
    if (moved.filed < written && ftruncate(ch->file_fd, size + (off_t)moved.filed) < 0)
        return -errno;
    if (moved.taken == 0)
        return error;
    move_begin(ch);
    taken = fifo_discard(ch->fifo_fd, ch->log->logs->null_fd, moved.taken);
    move_end(ch, &moved);
    return taken;
}

/* ---- both ---- */

static int plan(struct channel *ch, const struct settings *s, int64_t size, size_t max,
                struct portion *ret_portion)
{
    return s->timestamps ? plan_stamped(ch, s, size, max, ret_portion)
                         : plan_plain(ch, s, size, max, ret_portion);
}

static ssize_t move(struct channel *ch, const struct settings *s, const struct portion *portion,
                    int64_t size)
{
    bool whole;
    ssize_t n = s->timestamps ? move_stamped(ch, portion, size, &whole)
                              : move_plain(ch, portion, size, &whole);

    if (n > 0 && ch->age_at == CLOCK_NEVER && !ch->rotate_due)
        age_begin(ch, s);
    if (whole && portion->rotate)
        rotate_now(ch, s);
    return n == -EAGAIN || n == -EINTR ? 0 : n;
}

ssize_t keep(struct channel *ch, const struct settings *s, size_t max)
{
    for (;;) { /* at most twice: a new file has room, and one that can't be had is not asked for */
        struct portion portion = {0};
        struct stat st;
        int result = keep_note(ch, s);

        if (result == 0)
            result = look_at_file(ch, &st);
        if (result == 0)
            result = plan(ch, s, st.st_size, max, &portion);
        if (result < 0)
            return result;
        if (portion.bytes > 0)
            return move(ch, s, &portion, st.st_size);
        if (!portion.rotate)
            return 0; /* nothing there */
        rotate_now(ch, s);
    }
}

/* ---- what is not kept ---- */

/* It ends a line that was cut off, and is a line. */
static int write_note(struct channel *ch, const struct settings *s, size_t *ret_size)
{
    char note[128] = "", stamp[STAMP_SIZE + 1] = "";
    struct stat st;
    int result = look_at_file(ch, &st), size;
    ssize_t written;

    if (result < 0)
        return result;
    if (s->timestamps)
        stamp_now(stamp);
    size = snprintf(note, sizeof note, "%s%s[orderly: %llu bytes dropped]\n",
                    rotate_at_line(ch, st.st_size) ? "" : "\n", stamp,
                    (unsigned long long)ch->file_dropped);
    written = pwrite(ch->file_fd, note, (size_t)size, st.st_size);
    if (written < 0)
        return -errno;
    *ret_size = (size_t)size;
    if (written == size)
        return 0;
    return ftruncate(ch->file_fd, st.st_size) < 0 ? -errno : -ENOSPC;
}

int keep_note(struct channel *ch, const struct settings *s)
{
    struct moved moved = {0};
    int result;

    if (ch->file_dropped == 0)
        return 0;
    result = write_note(ch, s, &moved.filed);
    if (result < 0)
        return result;
    ch->file_dropped = 0;
    ch->plain_note = moved.filed;
    move_count(ch, &moved);
    return 0;
}

ssize_t keep_nothing(struct channel *ch, size_t max, bool dropped)
{
    struct moved moved = {0};
    ssize_t n;

    move_begin(ch);
    n = fifo_discard(ch->fifo_fd, ch->log->logs->null_fd, max);
    moved.taken = n > 0 ? (size_t)n : 0;
    moved.dropped = dropped ? moved.taken : 0;
    move_end(ch, &moved);
    if (dropped && n > 0) {
        ch->file_dropped += (uint64_t)n;
        if (ch->plain_since != NEVER_PLAIN)
            ch->plain_since = move_captured(ch);
        ch->plain_note = 0;
    }
    return n;
}
