/* Asking for operations, waiting for their end, looking at them, cancelling. */
#include "base/clock.h"
#include "base/units.h"
#include "encode.h"
#include "exchange.h"
#include "router.h"
#include "routes.h"
#include "server.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- answers ---- */

static void answer_operation(struct exchange *x, unsigned status, const struct operation *op)
{
    struct text body = {0};
    char location[48];

    operation_json(op, &body);
    exchange_answer(x, status, &body);
    if (status != MHD_HTTP_ACCEPTED)
        return;
    snprintf(location, sizeof location, "/operations/%" PRId64, op->id);
    exchange_header(x, MHD_HTTP_HEADER_LOCATION, location);
}

/* To whoever has waited: 5xx would make tools ask once more. */
static unsigned status_of(const struct operation *op)
{
    if (!operation_ended(op))
        return MHD_HTTP_ACCEPTED;
    return op->state == OPERATION_SUCCEEDED ? MHD_HTTP_OK : MHD_HTTP_CONFLICT;
}

static void answer_not_found(struct exchange *x, enum find_result found, int64_t id,
                             const struct error *err)
{
    switch (found) {
    case FIND_FOUND: break;
    case FIND_UNKNOWN:
        exchange_problem(x, PROBLEM_UNKNOWN_OPERATION, "there is no operation %" PRId64, id);
        break;
    case FIND_PRUNED:
        exchange_problem(x, PROBLEM_GONE,
                         "operation %" PRId64 " has ended so long ago that its record is gone", id);
        break;
    case FIND_UNREADABLE: exchange_problem(x, PROBLEM_JOURNAL_UNAVAILABLE, "%s", err->text); break;
    }
}

/* ---- waiting ---- */

static void wait_for_end(struct exchange *x);

/* It has ended, the time is up, or it is time to look who is still there; a wait that is over
 * sooner without an end means that no more are granted. */
static void look_again(struct exchange *x)
{
    struct operation op;
    struct error err = {0};
    int64_t now = clock_mono_us();
    enum find_result found = supervisor_find(x->http->supervisor, x->operation, &op, &err);

    if (found != FIND_FOUND) {
        answer_not_found(x, found, x->operation, &err);
        return;
    }
    if (operation_ended(&op) || now >= x->until_mono || now < x->look_mono)
        answer_operation(x, status_of(&op), &op);
    else if (peer_gone(x->fd))
        x->broken = true;
    else
        wait_for_end(x);
    operation_deinit(&op);
}

static void wait_for_end(struct exchange *x)
{
    int64_t next_look = clock_mono_us() + WAIT_LOOK;

    if (!exchange_expect(x, look_again)) {
        x->look_mono = CLOCK_NEVER; /* no more waits: answer with what it is now */
        look_again(x);
        return;
    }
    x->look_mono = next_look < x->until_mono ? next_look : x->until_mono;
    supervisor_wait_operation(x->http->supervisor, x->operation, x->look_mono, exchange_woken, x);
}

static void begin_wait(struct exchange *x, int64_t id)
{
    x->operation = id;
    x->until_mono = x->query.wait == CLOCK_NEVER ? CLOCK_NEVER : clock_mono_us() + x->query.wait;
    wait_for_end(x);
}

/* ---- POST /start/<service> and its like ---- */

static char *copy_text(const char *text, bool *failed)
{
    char *copy = text ? strdup(text) : NULL;

    *failed |= text && !copy;
    return copy;
}

/* On whatever thread committed it: only takes what was said. */
static void take_acceptance(void *context, const struct acceptance *acceptance)
{
    struct exchange *x = context;
    struct told *told = &x->told;

    told->result = acceptance->result;
    told->detail = copy_text(acceptance->detail, &told->failed);
    told->nearest = copy_text(acceptance->nearest, &told->failed);
    if (acceptance->result == ACCEPTED &&
        operation_copy(&told->operation, acceptance->operation) < 0)
        told->failed = true;
    exchange_arrived(x);
}

/* What the core has to say, or what is to be said when it adds nothing. */
static void refuse(struct exchange *x, enum problem_code code, const char *otherwise)
{
    const char *detail = x->told.detail;

    exchange_problem(x, code, "%s", detail && *detail ? detail : otherwise);
}

static void answer_refusal(struct exchange *x)
{
    char text[256];

    switch (x->told.result) {
    case ACCEPTED: break;
    case REFUSED_UNKNOWN_SERVICE:
        if (x->told.nearest)
            exchange_problem(x, PROBLEM_UNKNOWN_SERVICE,
                             "there is no service \"%.128s\"; did you mean \"%s\"?", x->argument,
                             x->told.nearest);
        else
            exchange_problem(x, PROBLEM_UNKNOWN_SERVICE, "there is no service \"%.128s\"",
                             x->argument);
        break;
    case REFUSED_CONFIG:
        refuse(x, PROBLEM_CONFIG_REFUSED, "the file of this service is refused");
        break;
    case REFUSED_QUEUE_FULL:
        snprintf(text, sizeof text, "the queue of \"%.128s\" is full; ask again later",
                 x->argument);
        refuse(x, PROBLEM_QUEUE_FULL, text);
        break;
    case REFUSED_TOTAL_FULL:
        refuse(x, PROBLEM_QUEUE_FULL,
               "the queues of all services together are full; ask again later");
        break;
    case REFUSED_CLOSING: refuse(x, PROBLEM_CLOSING, "the daemon is shutting down"); break;
    case REFUSED_JOURNAL_UNAVAILABLE:
        refuse(x, PROBLEM_JOURNAL_UNAVAILABLE, "the journal cannot be written");
        break;
    }
}

static void after_acceptance(struct exchange *x)
{
    if (x->told.failed)
        x->broken = true;
    else if (x->told.result != ACCEPTED)
        answer_refusal(x);
    else if (x->query.given & PARAMETER_WAIT && x->query.wait > 0)
        begin_wait(x, x->told.operation.id);
    else
        answer_operation(x, MHD_HTTP_ACCEPTED, &x->told.operation);
}

void route_operate(struct exchange *x)
{
    struct request request = {
        .service = x->argument,
        .action = x->route->action,
        .timeout_us = x->query.timeout,
        .who = x->who,
    };

    /* The place first: once it is accepted nothing can be refused any more. */
    if (x->query.wait > 0 && !exchange_take_place(x))
        return;
    if (exchange_expect(x, after_acceptance))
        supervisor_submit(x->http->supervisor, &request, take_acceptance, x);
    else
        exchange_problem(x, PROBLEM_CLOSING, "the daemon is shutting down");
}

/* ---- /operations ---- */

void route_list_operations(struct exchange *x)
{
    const struct query *query = &x->query;
    const char *service = query->given & PARAMETER_SERVICE ? query->service : NULL;
    struct operation_filter filter = {service, (int)query->state, query->before,
                                      (size_t)query->limit};
    struct operation *operations = NULL;
    size_t count = 0;
    struct error err = {0};
    struct text body = {0};

    if (supervisor_list(x->http->supervisor, &filter, &operations, &count, &err) < 0) {
        exchange_problem(x, PROBLEM_JOURNAL_UNAVAILABLE, "%s", err.text);
        return;
    }
    /* What was removed has a history still; a typing error has none. */
    if (count == 0 && service && !supervisor_service_known(x->http->supervisor, service)) {
        free(operations);
        answer_unknown_service(x, service);
        return;
    }
    text_append(&body, "{\"operations\":");
    encode_operations(operations, count, &body);
    text_append(&body, "}");
    exchange_answer(x, MHD_HTTP_OK, &body);
}

static bool parse_id(struct exchange *x, int64_t *ret_id)
{
    if (units_parse_int(x->argument, ret_id) == 0 && *ret_id > 0)
        return true;
    exchange_problem(x, PROBLEM_BAD_PARAMETER,
                     "an operation is named by its number, from 1, not \"%.64s\"", x->argument);
    return false;
}

void route_operation(struct exchange *x)
{
    bool waits = x->query.given & PARAMETER_WAIT;
    struct operation op;
    struct error err = {0};
    enum find_result found;
    int64_t id;

    if (!parse_id(x, &id))
        return;
    found = supervisor_find(x->http->supervisor, id, &op, &err);
    if (found != FIND_FOUND) {
        answer_not_found(x, found, id, &err);
        return;
    }
    if (!waits || operation_ended(&op) || x->query.wait == 0)
        answer_operation(x, waits ? status_of(&op) : MHD_HTTP_OK, &op);
    else if (exchange_take_place(x))
        begin_wait(x, id);
    operation_deinit(&op);
}

static void answer_too_late(struct exchange *x, const struct operation *op)
{
    if (operation_ended(op))
        exchange_problem(x, PROBLEM_CANNOT_CANCEL,
                         "operation %" PRId64 ", the %s of \"%s\", has ended already: %s", op->id,
                         action_name(op->action), op->service, operation_state_name(op->state));
    else
        exchange_problem(
            x, PROBLEM_CANNOT_CANCEL,
            "operation %" PRId64 ", the %s of \"%s\", is %s already; only a queued one "
            "can be cancelled",
            op->id, action_name(op->action), op->service, operation_state_name(op->state));
}

/* How long the end of a cancelled operation may take to its place in the journal. */
#define WRITTEN_WITHIN (5 * USEC_PER_SEC)

static void after_cancel(struct exchange *x)
{
    int64_t id = x->told.operation.id;

    if (supervisor_written(x->http->supervisor, id))
        answer_operation(x, MHD_HTTP_OK, &x->told.operation);
    else
        exchange_problem(x, PROBLEM_JOURNAL_UNAVAILABLE,
                         "operation %" PRId64 " is cancelled, but the journal cannot be written: "
                         "should the daemon die before it can, the operation will run",
                         id);
}

static void written(void *context)
{
    exchange_arrived(context);
}

/* Takes op. A cancel is true once it is written down. */
static void confirm_cancel(struct exchange *x, struct operation *op)
{
    x->told.operation = *op;
    *op = (struct operation){0};
    if (exchange_expect(x, after_cancel))
        supervisor_wait_written(x->http->supervisor, x->told.operation.id,
                                clock_mono_us() + WRITTEN_WITHIN, written, x);
    else
        after_cancel(x);
}

void route_cancel(struct exchange *x)
{
    struct operation op;
    struct error err = {0};
    enum cancel_result result;
    enum find_result found;
    int64_t id;

    if (!parse_id(x, &id))
        return;
    result = supervisor_cancel(x->http->supervisor, id, &x->who, &op);
    if (result == CANCEL_UNKNOWN) { /* or its record is gone */
        found = supervisor_find(x->http->supervisor, id, &op, &err);
        if (found != FIND_FOUND) {
            answer_not_found(x, found, id, &err);
            return;
        }
        result = CANCEL_TOO_LATE;
    }
    if (result == CANCEL_DONE)
        confirm_cancel(x, &op);
    else if (result == CANCEL_NOT_YOURS && !operation_ended(&op))
        exchange_problem(x, PROBLEM_CANNOT_CANCEL,
                         "operation %" PRId64 " is the supervisor's own (%s): stop \"%s\" to end "
                         "what it is for",
                         op.id, name_of(&origin_names, (int)op.origin), op.service);
    else
        answer_too_late(x, &op);
    operation_deinit(&op);
}
