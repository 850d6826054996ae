/* Only what a pipe takes at once, or not at all, is written to it in one piece: so lines of others
 * who share it can't come between, as long as ours are shorter than that. */
#include "console.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "capture.h"
#include "stamp.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* ---- opening ---- */

/* Of our own, because not to wait is a matter of the open file, which the daemon's stdout shares
 * with whoever has started it. */
static int reopen(int fd)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void console_init(struct console *console, int fd)
{
    struct stat st;

    *console = (struct console){.fd = -1, .kind = CONSOLE_PLAIN};
    list_init(&console->ready);
    list_init(&console->held);
    if (fd < 0 || fstat(fd, &st) < 0)
        return;
    if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
        console->fd = reopen(fd);
        if (console->fd >= 0)
            return;
        console->kind = CONSOLE_SHARED;
    }
    if (S_ISSOCK(st.st_mode))
        console->kind = CONSOLE_SOCKET;
    console->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* a file shares its offset with the daemon's */
}

void console_deinit(struct console *console)
{
    closep(&console->fd);
    console->fd = -1;
}

/* ---- filling ---- */

/* SIGPIPE is blocked in the logs' thread: -EPIPE is all that comes of a reader that has gone. */
static ssize_t write_some(const struct console *console, const char *data, size_t size)
{
    struct pollfd poll_fd = {.fd = console->fd, .events = POLLOUT};
    ssize_t n;

    if (console->kind == CONSOLE_SHARED && poll(&poll_fd, 1, 0) == 0)
        return -EAGAIN;
    if (console->kind == CONSOLE_SOCKET)
        n = send(console->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    else
        n = write(console->fd, data, size);
    return n < 0 ? -errno : n;
}

#define PREFIX_SIZE (SERVICE_NAME_MAX + 3 + STAMP_SIZE + 1)

static struct outbox_prefix prefix_of(const struct channel *ch, const struct settings *s,
                                      char text[static PREFIX_SIZE])
{
    int size = snprintf(text, PREFIX_SIZE, "%s %c ", ch->log->name,
                        ch->stream == STREAM_STDERR ? '!' : '|');

    if (s->timestamps) {
        stamp_now(text + size);
        size += STAMP_SIZE;
    }
    return (struct outbox_prefix){.text = text, .size = (size_t)size};
}

static void line_up(struct channel *ch)
{
    if (outbox_waiting(&ch->outbox) > 0 && list_empty(&ch->in_ready))
        list_append(&ch->log->logs->console.ready, &ch->in_ready);
}

size_t console_fits(struct channel *ch, const struct settings *s, const char *data, size_t size)
{
    char text[PREFIX_SIZE];
    struct outbox_prefix prefix = prefix_of(ch, s, text);

    return outbox_fits(&ch->outbox, &prefix, data, size);
}

size_t console_put(struct channel *ch, const struct settings *s, const char *data, size_t size)
{
    char text[PREFIX_SIZE];
    struct outbox_prefix prefix = prefix_of(ch, s, text);
    size_t taken = outbox_add(&ch->outbox, &prefix, data, size);

    line_up(ch);
    return taken;
}

bool console_put_line(struct channel *ch, const struct settings *s, const char *line)
{
    char text[PREFIX_SIZE];
    struct outbox_prefix prefix = prefix_of(ch, s, text);
    bool done = outbox_add_line(&ch->outbox, &prefix, line);

    line_up(ch);
    return done;
}

void console_hold(struct channel *ch)
{
    if (list_empty(&ch->in_held))
        list_append(&ch->log->logs->console.held, &ch->in_held);
}

void console_leave(struct channel *ch)
{
    list_remove(&ch->in_held);
    outbox_end_line(&ch->outbox);
    line_up(ch);
}

/* ---- emptying ---- */

/* Told once; it would be told for ever that the reader has gone. */
static void wait_for_room(struct logs *logs)
{
    struct console *console = &logs->console;
    struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT, .data.ptr = console};

    if (epoll_ctl(logs->epoll_fd, console->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, console->fd,
                  &event) == 0) {
        console->watched = console->blocked = true;
        return;
    }
    console->error = -errno;
    console->retry_at = clock_mono_us() + USEC_PER_SEC;
}

/* Whether it may be gone on with. */
static bool write_next(struct logs *logs, struct channel *ch)
{
    struct console *console = &logs->console;
    const char *data;
    size_t size = outbox_next(&ch->outbox, PIPE_BUF, &data);
    ssize_t n = write_some(console, data, size);

    if (n == -EAGAIN) {
        console->error = 0;
        wait_for_room(logs);
        return false;
    }
    if (n == -EINTR)
        return true;
    if (n < 0) {
        console->error = (int)n;
        console->retry_at = clock_mono_us() + USEC_PER_SEC;
        return false;
    }
    console->error = 0;
    outbox_gone(&ch->outbox, (size_t)n);
    if (ch->outbox.turn == 0) {
        list_remove(&ch->in_ready);
        line_up(ch);
    }
    return true;
}

static void let_go_on(struct console *console)
{
    list_for_each_safe(link, &console->held)
    {
        struct channel *ch = list_entry(link, struct channel, in_held);

        if (outbox_roomy(&ch->outbox))
            capture_resume(ch);
    }
}

void console_flush(struct logs *logs)
{
    struct console *console = &logs->console;

    if (console->blocked || console->error)
        return;
    while (!list_empty(&console->ready))
        if (!write_next(logs, list_entry(console->ready.next, struct channel, in_ready)))
            break;
    let_go_on(console);
}

void console_writable(struct logs *logs)
{
    logs->console.blocked = false;
    console_flush(logs);
}

int console_fault(const struct console *console)
{
    return console->error ? console->error : -EAGAIN;
}

int64_t console_next_retry(const struct console *console)
{
    return console->error && !list_empty(&console->ready) ? console->retry_at : CLOCK_NEVER;
}

void console_retry(struct logs *logs, int64_t now)
{
    if (console_next_retry(&logs->console) > now)
        return;
    logs->console.error = 0;
    console_flush(logs);
}
