/* Sizes a portion so that a file ends with a line, by looking into the FIFO without taking. */
#include "rotate.h"

#include "base/clock.h"
#include "capture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int64_t limit_of(struct log *log)
{
    int64_t limit;

    logs_lock(log->logs);
    limit = log->max_size;
    logs_unlock(log->logs);
    return limit > 0 && clock_mono_us() < log->rotate_after ? 0 : limit;
}

/* Whether what is written next begins a line; not so in an empty file, which is never full. */
static bool full_of_lines(const struct log *log, int64_t size)
{
    char last;

    return size > 0 && pread(log->file_fd, &last, 1, size - 1) == 1 && last == '\n';
}

/* Cuts count bytes, which are more than there is room for. */
static struct portion cut(const struct log *log, int64_t size, size_t count, size_t room)
{
    const char *data = log->logs->peek.data, *end;

    end = room > 0 ? memrchr(data, '\n', room) : NULL;
    if (!end && full_of_lines(log, size))
        return (struct portion){.rotate = true};
    if (!end)
        end = memchr(data + room, '\n', count - room);
    if (!end)
        return (struct portion){.bytes = count}; /* the line goes on: so does the file */
    return (struct portion){.bytes = (size_t)(end - data) + 1, .rotate = true};
}

int rotate_plan(struct log *log, int64_t size, struct portion *ret_portion)
{
    int64_t limit = limit_of(log);
    size_t room, waiting;
    ssize_t count;

    *ret_portion = (struct portion){.bytes = CAPTURE_MAX};
    if (limit == 0 || limit - size >= CAPTURE_MAX)
        return 0;
    room = size < limit ? (size_t)(limit - size) : 0;
    waiting = fifo_waiting(log->fifo_fd);
    if (waiting > CAPTURE_MAX)
        waiting = CAPTURE_MAX;
    ret_portion->bytes = waiting;
    if (waiting <= room)
        return 0;
    count = fifo_peek(log->fifo_fd, &log->logs->peek, waiting);
    if (count < 0)
        return (int)count;
    ret_portion->bytes = (size_t)count;
    if ((size_t)count > room)
        *ret_portion = cut(log, size, (size_t)count, room);
    return 0;
}

void rotate_now(struct log *log)
{
    int64_t max_files;
    int result;

    logs_lock(log->logs);
    max_files = log->max_files;
    logs_unlock(log->logs);
    result = files_rotate(&log->files, max_files, &log->file_fd);
    if (result < 0)
        log->rotate_after = clock_mono_us() + USEC_PER_SEC;
    else
        log->copies = false; /* another file may lie elsewhere */
    logs_lock(log->logs);
    log->trouble.rotate_error = result;
    logs_unlock(log->logs);
}
