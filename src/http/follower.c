#include "follower.h"

#include "base/clock.h"
#include "exchange.h"
#include "logs/logs.h"
#include "server.h"

#include <microhttpd.h>
#include <stdlib.h>

#define BLOCK       16384
#define EMPTY_WAKES 16 /* then the logs have stopped: there is nothing to wait for any more */

static void follower_unref(struct follower *f)
{
    if (atomic_fetch_sub(&f->references, 1) > 1)
        return;
    log_reader_close(f->reader);
    gate_deinit(&f->gate);
    free(f);
}

/* From the logs' thread, perhaps when the server has long gone: touches nothing of it then. */
static void woken(void *context)
{
    struct follower *f = context;

    gate_open(&f->gate);
    follower_unref(f);
}

/* How much of what was read belongs to the lines that were asked for. */
static ssize_t count_lines(struct follower *f, const char *buffer, ssize_t n)
{
    if (f->follow)
        return n;
    for (ssize_t i = 0; i < n; i++) {
        if (f->lines_left == 0)
            return i;
        if (buffer[i] == '\n')
            f->lines_left--;
    }
    return n;
}

/* Whether to go on after nothing was there to read. */
static bool may_wait(struct follower *f)
{
    bool early = f->look_mono > 0 && clock_mono_us() < f->look_mono;

    f->empty_wakes = early ? f->empty_wakes + 1 : 0;
    return f->follow && f->empty_wakes < EMPTY_WAKES && !http_stopping(f->http) &&
           !peer_gone(f->fd);
}

static void start_wait(struct follower *f)
{
    f->waits = true;
    f->look_mono = clock_mono_us() + WAIT_LOOK;
    atomic_fetch_add(&f->references, 1);
    log_reader_wait(f->reader, f->look_mono, woken, f);
}

static ssize_t read_more(void *context, uint64_t position, char *buffer, size_t size)
{
    struct follower *f = context;

    (void)position;
    for (;;) {
        ssize_t n = 0;

        if (f->waits && !gate_pass(&f->gate))
            return 0; /* suspended */
        if (f->waits && http_stopping(f->http))
            return MHD_CONTENT_READER_END_OF_STREAM; /* the wait itself may stand still */
        f->waits = false;
        if (f->follow || f->lines_left > 0)
            n = log_reader_read(f->reader, buffer, size);
        if (n < 0)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        n = count_lines(f, buffer, n);
        if (n > 0) {
            f->look_mono = 0;
            return n;
        }
        if (!may_wait(f))
            return MHD_CONTENT_READER_END_OF_STREAM;
        start_wait(f);
    }
}

static void end(void *context)
{
    struct follower *f = context;

    http_lock(f->http);
    list_remove(&f->link);
    http_unlock(f->http);
    gate_forget(&f->gate);
    follower_unref(f);
}

struct MHD_Response *follower_start(struct exchange *x, struct log_reader *reader, size_t lines,
                                    bool follow)
{
    struct follower *f = calloc(1, sizeof *f);
    struct MHD_Response *response;

    if (!f) {
        log_reader_close(reader);
        return NULL;
    }
    *f = (struct follower){
        .http = x->http,
        .fd = x->fd,
        .reader = reader,
        .follow = follow,
        .lines_left = lines,
    };
    atomic_init(&f->references, 1);
    gate_init(&f->gate, x->connection);
    list_init(&f->link);
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_more, f, end);
    if (!response) {
        follower_unref(f);
        return NULL;
    }
    http_lock(x->http);
    list_append(&x->http->followers, &f->link);
    http_unlock(x->http);
    return response;
}

void followers_wake(struct http *http)
{
    http_lock(http);
    list_for_each(link, &http->followers) gate_open(&list_entry(link, struct follower, link)->gate);
    http_unlock(http);
}
