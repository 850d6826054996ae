#include "exchange.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "server.h"
#include "visit.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct exchange *exchange_new(struct listener *listener, struct MHD_Connection *connection,
                              const char *path, const char *method)
{
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct visit *visit = visit_of(connection);
    struct exchange *x = FAULT(request_new) ? NULL : calloc(1, sizeof *x);

    if (!x || !fd || !visit || !(x->path = strdup(path))) {
        free(x);
        return NULL;
    }
    atomic_init(&x->references, 1);
    x->http = listener->http;
    x->listener = listener;
    x->connection = connection;
    x->visit = visit;
    x->fd = fd->connect_fd;
    x->method = method;
    gate_init(&x->gate, connection);
    query_init(&x->query);
    return x;
}

void exchange_unref(struct exchange *x)
{
    if (atomic_fetch_sub(&x->references, 1) > 1)
        return;
    told_deinit(&x->told);
    if (x->response)
        MHD_destroy_response(x->response);
    shared_answer_unref(x->shared);
    gate_deinit(&x->gate);
    text_deinit(&x->body);
    free(x->argument);
    free(x->path);
    free(x);
}

/* ---- answers ---- */

void exchange_respond(struct exchange *x, unsigned status, struct MHD_Response *response)
{
    if (!response) {
        x->broken = true;
        return;
    }
    if (x->status != 0) {
        MHD_destroy_response(response);
        return;
    }
    x->response = response;
    x->status = status;
}

void exchange_header(struct exchange *x, const char *name, const char *value)
{
    if (x->response && MHD_add_response_header(x->response, name, value) == MHD_NO)
        x->broken = true;
}

static void answer_text(struct exchange *x, unsigned status, const char *type, struct text *body)
{
    size_t len = body->len;
    char *data = text_take(body);
    struct MHD_Response *response =
        data ? MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE) : NULL;

    if (!response)
        free(data);
    exchange_respond(x, status, response);
    exchange_header(x, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    exchange_header(x, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    exchange_header(x, "X-Content-Type-Options", "nosniff");
}

void exchange_answer(struct exchange *x, unsigned status, struct text *body)
{
    text_append(body, "\n");
    answer_text(x, status, "application/json", body);
}

void exchange_problem(struct exchange *x, enum problem_code code, const char *format, ...)
{
    const struct problem_kind *kind = problem_kind(code);
    struct text body = {0};
    CLEANUP(freep) char *detail = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&detail, format, arguments) < 0)
        detail = NULL;
    va_end(arguments);
    problem_json(code, detail ? detail : "out of memory", x->path, &body);
    answer_text(x, kind->status, "application/problem+json", &body);
    if (kind->retry_after)
        exchange_header(x, MHD_HTTP_HEADER_RETRY_AFTER, kind->retry_after);
}

void exchange_answer_shared(struct exchange *x, unsigned status, struct shared_answer *shared)
{
    x->shared = shared;
    x->status = status;
    x->broken = !shared;
}

/* ---- waiting ---- */

bool exchange_expect(struct exchange *x, void (*next)(struct exchange *x))
{
    if (!http_expect(x->http))
        return false;
    x->next = next;
    atomic_fetch_add(&x->references, 1);
    return true;
}

void exchange_arrived(struct exchange *x)
{
    gate_open(&x->gate);
    http_arrived(x->http); /* it may be gone from here on */
    exchange_unref(x);
}

void exchange_woken(void *exchange)
{
    exchange_arrived(exchange);
}

bool exchange_take_place(struct exchange *x)
{
    if (x->holds_place)
        return true;
    if (atomic_fetch_add(&x->listener->parked, 1) >= x->listener->connections / 2) {
        atomic_fetch_sub(&x->listener->parked, 1);
        exchange_problem(x, PROBLEM_QUEUE_FULL,
                         "%u requests wait or follow on this listener already; ask without "
                         "waiting, or again later",
                         x->listener->connections / 2);
        return false;
    }
    x->holds_place = true;
    return true;
}

void exchange_leave_place(struct exchange *x)
{
    if (x->holds_place)
        atomic_fetch_sub(&x->listener->parked, 1);
    x->holds_place = false;
}

bool peer_gone(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLRDHUP};

    return poll(&look, 1, 0) == 1 && look.revents & (POLLRDHUP | POLLHUP | POLLERR);
}
