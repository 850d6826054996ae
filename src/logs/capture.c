/* Moves bytes with splice(2) at an explicit offset, the file's size. The kernel takes from the FIFO
 * what it has written and not before: a daemon that is killed at any point loses and doubles
 * nothing. The size is asked for each time, so that a file that others have cut or removed is gone
 * on with. */
#include "capture.h"

#include "base/clock.h"
#include "rotate.h"
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

/* For file systems that can't splice: what was written is taken after that. A kill in between
 * doubles it. */
static ssize_t copy(struct log *log, size_t bytes, off_t offset)
{
    struct peek *peek = &log->logs->peek;
    ssize_t count = fifo_peek(log->fifo_fd, peek, bytes), written;

    if (count <= 0)
        return count;
    written = pwrite(log->file_fd, peek->data, (size_t)count, offset);
    if (written < 0)
        return -errno;
    for (ssize_t taken = 0, n; taken < written; taken += n) {
        n = read(log->fifo_fd, peek->data, (size_t)(written - taken));
        if (n <= 0) /* cannot happen: nobody else reads */
            return -EIO;
    }
    return written;
}

static ssize_t move(struct log *log, size_t bytes, off_t offset)
{
    ssize_t n;

    if (!log->copies) {
        n = splice(log->fifo_fd, NULL, log->file_fd, &offset, bytes, SPLICE_F_NONBLOCK);
        if (n >= 0 || errno != EINVAL)
            return n < 0 ? -errno : n;
        log->copies = true;
    }
    return copy(log, bytes, offset);
}

static void begin_move(struct log *log)
{
    logs_lock(log->logs);
    log->moving = true;
    logs_unlock(log->logs);
}

static void end_move(struct log *log, size_t bytes)
{
    struct list ready;

    list_init(&ready);
    logs_lock(log->logs);
    log->moving = false;
    log->moves++;
    log->captured += (int64_t)bytes;
    if (log->position_waits > 0) {
        log->position = log->captured + (int64_t)fifo_waiting(log->fifo_fd);
        cond_broadcast(&log->logs->moved);
    }
    if (bytes > 0) {
        log->trouble.error = 0;
        wait_take_log(log, &ready);
    }
    logs_unlock(log->logs);
    wait_end(&ready);
}

/* Gives the file's size; a file that others have removed is made anew. */
static int look_at_file(struct log *log, struct stat *ret_st)
{
    int fd;

    if (fstat(log->file_fd, ret_st) < 0)
        return -errno;
    if (ret_st->st_nlink > 0)
        return 0;
    fd = files_open_current(&log->files);
    if (fd < 0)
        return fd;
    close(log->file_fd);
    log->file_fd = fd;
    return fstat(fd, ret_st) < 0 ? -errno : 0;
}

/* One portion at most, and a rotation before or after it. Bytes moved, or -errno. */
static ssize_t capture(struct log *log)
{
    struct portion portion;
    ssize_t moved = 0;

    do {
        struct stat st;
        int result = look_at_file(log, &st);

        if (result == 0)
            result = rotate_plan(log, st.st_size, &portion);
        if (result < 0)
            return result;
        if (portion.bytes > 0) {
            begin_move(log);
            moved = move(log, portion.bytes, st.st_size);
            end_move(log, moved > 0 ? (size_t)moved : 0);
        }
        if (portion.rotate && moved == (ssize_t)portion.bytes)
            rotate_now(log);
    } while (portion.bytes == 0 && portion.rotate); /* at most twice: a new file has room */
    return moved == -EAGAIN || moved == -EINTR ? 0 : moved;
}

static void watch(struct log *log, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = log};

    epoll_ctl(log->logs->epoll_fd, EPOLL_CTL_MOD, log->fifo_fd, &event); /* it is there */
}

static void pause_log(struct log *log, int error)
{
    logs_lock(log->logs);
    if (log->trouble.error == 0)
        log->trouble.times++;
    log->trouble.error = error;
    logs_unlock(log->logs);
    if (!list_empty(&log->in_paused))
        return;
    watch(log, 0);
    log->retry_at = clock_mono_us() + USEC_PER_SEC;
    list_append(&log->logs->paused, &log->in_paused);
}

void capture_ready(struct log *log)
{
    ssize_t moved = capture(log);

    if (moved < 0)
        pause_log(log, (int)moved);
}

int capture_drain(struct log *log)
{
    for (size_t waiting = fifo_waiting(log->fifo_fd); waiting > 0;) {
        ssize_t moved = capture(log);

        if (moved < 0)
            pause_log(log, (int)moved);
        if (moved <= 0)
            return (int)moved;
        waiting -= (size_t)moved < waiting ? (size_t)moved : waiting;
    }
    return 0;
}

void capture_retry(struct logs *logs, int64_t now)
{
    list_for_each_safe(link, &logs->paused)
    {
        struct log *log = list_entry(link, struct log, in_paused);

        if (log->retry_at > now)
            return;
        list_remove(link);
        watch(log, EPOLLIN); /* level-triggered: it is told again at once */
    }
}

int64_t capture_next_retry(const struct logs *logs)
{
    if (list_empty(&logs->paused))
        return CLOCK_NEVER;
    return list_entry(logs->paused.next, struct log, in_paused)->retry_at;
}
