/* console - the daemon's own stdout, which services with target = console or both share.
 * It is never waited for: what it does not take stays in the outboxes, which take turns with whole
 * lines. A line is "NAME | text", one of a stderr that is apart "NAME ! text".
 *
 * Threads: the logs' thread only. Ownership: the descriptor is one of our own. */
#pragma once

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct channel;
struct logs;
struct settings;

enum console_kind {
    CONSOLE_PLAIN,  /* a write to it does not wait: a file, or opened so */
    CONSOLE_SOCKET, /* told so each time */
    CONSOLE_SHARED, /* it could not be opened again: its readiness is asked for first */
};

struct console {
    int fd;
    enum console_kind kind;
    struct list ready; /* channel.in_ready: has whole lines */
    struct list held;  /* channel.in_held: its FIFO is left alone until there is room */
    bool watched;      /* epoll knows it */
    bool blocked;      /* it takes no more; epoll tells when it does */
    int error;         /* -errno: it can't be written to; tried again at retry_at */
    int64_t retry_at;
};

/* A descriptor that is not open is no failure, but an error when it is written to. */
void console_init(struct console *console, int fd);
void console_deinit(struct console *console);

/* How many of the bytes the stream's outbox has room for. */
size_t console_fits(struct channel *ch, const struct settings *s, const char *data, size_t size);
/* Takes what there is room for; how many. */
size_t console_put(struct channel *ch, const struct settings *s, const char *data, size_t size);
/* A line of our own; false: no room. */
bool console_put_line(struct channel *ch, const struct settings *s, const char *line);
/* The stream's FIFO is left alone until there is room. */
void console_hold(struct channel *ch);
/* Nothing more will come of the stream: what is there still goes, with an end to its last line. */
void console_leave(struct channel *ch);

/* Writes what can be written; who was held and has room now goes on. */
void console_flush(struct logs *logs);
void console_writable(struct logs *logs);         /* epoll says so */
int console_fault(const struct console *console); /* why it takes no more: -errno */
int64_t console_next_retry(const struct console *console);
void console_retry(struct logs *logs, int64_t now);
