#include "handle.h"

#include "auth.h"
#include "base/log.h"
#include "exchange.h"
#include "head.h"
#include "parameters.h"
#include "percent.h"
#include "router.h"
#include "server.h"
#include "visit.h"

#include <stdlib.h>
#include <string.h>

size_t handle_unescape(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

/* ---- who, what ---- */

static void answer_wrong_path(struct exchange *x)
{
    struct text near = {0};

    if (router_suggest(x->path, &near))
        exchange_problem(x, PROBLEM_NOT_FOUND, "there is nothing at \"%.256s\"; did you mean %s?",
                         x->path, near.data);
    else
        exchange_problem(x, PROBLEM_NOT_FOUND,
                         "there is nothing at \"%.256s\"; GET /status shows every service",
                         x->path);
    text_deinit(&near);
}

static void answer_wrong_method(struct exchange *x)
{
    struct text allow = {0};

    router_allow(x->path, &allow);
    if (allow.failed) {
        x->broken = true;
    } else {
        exchange_problem(x, PROBLEM_METHOD_NOT_ALLOWED, "%.32s is not for \"%.256s\"; use %s",
                         x->method, x->path, allow.data);
        exchange_header(x, MHD_HTTP_HEADER_ALLOW, allow.data);
    }
    text_deinit(&allow);
}

static bool take_argument(struct exchange *x, const char *encoded)
{
    if (!encoded)
        return true;
    x->argument = malloc(strlen(encoded) + 1);
    if (!x->argument) {
        x->broken = true;
        return false;
    }
    if (percent_decode(encoded, x->argument))
        return true;
    exchange_problem(x, PROBLEM_BAD_PARAMETER,
                     "%% in a path must be followed by two hex digits, and %%00 is not allowed");
    return false;
}

/* Whether x is authenticated; what tells nothing but that we live needs nobody's name. */
static bool is_let_in(struct exchange *x, enum route_result found)
{
    if (!auth_check_host(x))
        return false;
    if (found == ROUTE_FOUND && x->route->role == ROLE_NONE)
        return true;
    return auth_identify(x);
}

static bool find_route(struct exchange *x)
{
    const char *argument = NULL;
    enum route_result found = router_find(x->method, x->path, &x->route, &argument);

    if (!is_let_in(x, found))
        return false;
    switch (found) {
    case ROUTE_UNKNOWN: answer_wrong_path(x); return false;
    case ROUTE_WRONG_METHOD: answer_wrong_method(x); return false;
    case ROUTE_FOUND: break;
    }
    if (x->who.role < x->route->role) {
        exchange_problem(x, PROBLEM_FORBIDDEN, "%s has the role %s; this needs %s", x->who.name,
                         name_of(&role_names, (int)x->who.role),
                         name_of(&role_names, (int)x->route->role));
        return false;
    }
    return take_argument(x, argument);
}

/* ---- the way ---- */

static enum MHD_Result take_body(struct exchange *x, const char *piece, size_t *size)
{
    if (x->body_len > BODY_DRAINED)
        return MHD_NO;
    x->body_len += *size;
    if (x->body_len <= BODY_LIMIT)
        text_append_n(&x->body, piece, *size);
    *size = 0;
    return MHD_YES;
}

static void begin(struct exchange *x)
{
    x->begun = true;
    visit_stage(x->visit, STAGE_WORK);
    if (http_stopping(x->http))
        exchange_problem(x, PROBLEM_CLOSING, "the daemon is shutting down");
    else if (find_route(x) && parameters_read(x))
        x->route->handle(x);
}

static enum MHD_Result queue(struct exchange *x)
{
    if (x->visit->last)
        exchange_header(x, MHD_HTTP_HEADER_CONNECTION, "close");
    if (x->broken) {
        log_error("out of memory: %s %s is not answered", x->method, x->path);
        return MHD_NO;
    }
    visit_stage(x->visit, STAGE_ANSWER);
    return MHD_queue_response(x->connection, x->status,
                              x->shared ? shared_answer_response(x->shared) : x->response);
}

enum MHD_Result handle_request(void *cls, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_size, void **request)
{
    struct listener *listener = cls;
    struct exchange *x = *request;

    if (!x) {
        *request = x = exchange_new(listener, connection, url, method);
        if (!x) {
            log_error("out of memory: %s %s is not answered", method, url);
            return MHD_NO;
        }
        http_enter(listener->http);
        visit_stage(x->visit, STAGE_BODY);
        return head_check(x, version) ? MHD_YES : queue(x);
    }
    if (*upload_size > 0)
        return take_body(x, upload, upload_size);
    if (!x->begun)
        begin(x);
    while (x->status == 0 && !x->broken) {
        if (!gate_pass(&x->gate))
            return MHD_YES;
        x->next(x);
    }
    return queue(x);
}

void handle_completed(void *cls, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode why)
{
    struct listener *listener = cls;
    struct exchange *x = *request;

    (void)connection, (void)why;
    if (!x)
        return;
    *request = NULL;
    visit_stage(x->visit, STAGE_IDLE);
    gate_forget(&x->gate);
    exchange_leave_place(x);
    if (x->completed)
        x->completed(x);
    exchange_unref(x);
    http_leave(listener->http);
}
