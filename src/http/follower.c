#include "follower.h"

#include "base/clock.h"
#include "exchange.h"
#include "server.h"
#include "source.h"
#include "visit.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK       16384
#define EMPTY_WAKES 16 /* then no waits are granted: there is nothing to wait for any more */

static void follower_unref(struct follower *f)
{
    if (atomic_fetch_sub(&f->references, 1) > 1)
        return;
    f->source->ops->close(f->source);
    gate_deinit(&f->gate);
    free(f);
}

/* From the source's thread, perhaps when the server has long gone: touches nothing of it then. */
static void woken(void *context)
{
    struct follower *f = context;

    gate_open(&f->gate);
    follower_unref(f);
}

/* Whether to go on after nothing was there to read. */
static bool may_wait(struct follower *f, bool moved)
{
    bool early = f->look_mono > 0 && clock_mono_us() < f->look_mono;

    f->empty_wakes = early && !moved ? f->empty_wakes + 1 : 0;
    return f->empty_wakes < EMPTY_WAKES && !http_stopping(f->http) && !peer_gone(f->fd);
}

/* What was passed over does not put the look off. */
static void start_wait(struct follower *f)
{
    int64_t now = clock_mono_us();

    f->waits = true;
    if (f->look_mono <= now)
        f->look_mono = now + WAIT_LOOK;
    atomic_fetch_add(&f->references, 1);
    f->source->ops->wait(f->source, f->look_mono, woken, f);
}

/* Nothing is owed by the peer while it stands at the gate. */
static bool pass(struct follower *f)
{
    visit_stage(f->visit, STAGE_WORK);
    if (!gate_pass(&f->gate))
        return false;
    visit_stage(f->visit, STAGE_ANSWER);
    return true;
}

/* Whose token was taken away is told nothing more. Which one it was is not kept: they all ask
 * again. */
static bool is_revoked(const struct follower *f)
{
    return f->by_token && atomic_load(&f->http->auth.revoked) != f->revoked;
}

static ssize_t give(struct follower *f, ssize_t n)
{
    f->look_mono = 0;
    visit_stage(f->visit, STAGE_ANSWER); /* it has read what came before */
    return n;
}

/* The time of a whole wait has passed without a byte. */
static bool is_idle(const struct follower *f)
{
    return f->source->ops->idle && f->look_mono > 0 && clock_mono_us() >= f->look_mono;
}

static ssize_t give_idle(struct follower *f, char *buffer, size_t size)
{
    size_t n = strlen(f->source->ops->idle);

    if (n > size)
        n = size;
    memcpy(buffer, f->source->ops->idle, n);
    return give(f, (ssize_t)n);
}

static ssize_t read_more(void *context, uint64_t position, char *buffer, size_t size)
{
    struct follower *f = context;

    (void)position;
    for (;;) {
        ssize_t n;

        if (f->waits && !pass(f))
            return 0; /* suspended */
        if (f->waits && http_stopping(f->http))
            return MHD_CONTENT_READER_END_OF_STREAM; /* the wait itself may stand still */
        f->waits = false;
        if (is_revoked(f))
            return MHD_CONTENT_READER_END_OF_STREAM;
        n = f->source->ops->read(f->source, buffer, size);
        if (n > 0)
            return give(f, n);
        if (n < 0 && n != -EAGAIN)
            return n == -ENODATA ? MHD_CONTENT_READER_END_OF_STREAM
                                 : MHD_CONTENT_READER_END_WITH_ERROR;
        if (!may_wait(f, n == -EAGAIN))
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (is_idle(f))
            return give_idle(f, buffer, size);
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

struct MHD_Response *follower_start(struct exchange *x, struct source *source)
{
    struct follower *f = calloc(1, sizeof *f);
    struct MHD_Response *response;

    if (!f) {
        source->ops->close(source);
        return NULL;
    }
    *f = (struct follower){
        .http = x->http,
        .fd = x->fd,
        .visit = x->visit,
        .source = source,
        .by_token = !x->listener->unix_socket,
        .revoked = atomic_load(&x->http->auth.revoked),
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
