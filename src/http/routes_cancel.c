/* DELETE /operations/<id>. A queued one ends at once; what a running one has begun is given up. */
#include "base/clock.h"
#include "exchange.h"
#include "routes.h"
#include "server.h"
#include "waiting.h"

#include <inttypes.h>
#include <microhttpd.h>

/* How long the end of a cancelled operation may take to its place in the journal. */
#define WRITTEN_WITHIN (5 * USEC_PER_SEC)

static void answer_too_late(struct exchange *x, const struct operation *op)
{
    if (operation_ended(op))
        exchange_problem(x, PROBLEM_CANNOT_CANCEL,
                         "operation %" PRId64 ", the %s of \"%s\", has ended already: %s", op->id,
                         action_name(op->action), op->service, operation_state_name(op->state));
    else
        exchange_problem(x, PROBLEM_CANNOT_CANCEL,
                         "operation %" PRId64 ", the %s of \"%s\", is %s already; a stop that has "
                         "begun cannot be undone",
                         op->id, action_name(op->action), op->service,
                         operation_state_name(op->state));
}

static void answer_not_yours(struct exchange *x, const struct operation *op)
{
    exchange_problem(x, PROBLEM_CANNOT_CANCEL,
                     "operation %" PRId64 " is the supervisor's own (%s): stop \"%s\" to end what "
                     "it is for",
                     op->id, name_of(&origin_names, (int)op->origin), op->service);
}

static void answer_unwritten(struct exchange *x, int64_t id)
{
    exchange_problem(x, PROBLEM_JOURNAL_UNAVAILABLE,
                     "operation %" PRId64
                     " is cancelled, but the journal cannot be written: should "
                     "the daemon die before it can, the operation may run",
                     id);
}

static void wait_until_written(struct exchange *x);

/* A cancel is true once it is written down; a wait that is over sooner means that no more are
 * granted. */
static void after_cancel(struct exchange *x)
{
    const struct operation *op = x->told.operations;
    bool written = supervisor_written(x->http->supervisor, op->id);
    bool early = clock_mono_us() < x->look_mono;

    if (!refresh_told(x, 0))
        return;
    if (!operation_ended(op) && early)
        exchange_problem(x, PROBLEM_CLOSING,
                         "the daemon is shutting down; operation %" PRId64 " is being given up",
                         op->id);
    else if (!operation_ended(op) && peer_gone(x->fd))
        x->broken = true;
    else if (!operation_ended(op))
        wait_until_written(x);
    else if (op->state != OPERATION_CANCELLED)
        answer_too_late(x, op);
    else if (written)
        answer_told(x, MHD_HTTP_OK);
    else
        answer_unwritten(x, op->id);
}

static void wait_until_written(struct exchange *x)
{
    x->look_mono = clock_mono_us() + WRITTEN_WITHIN;
    if (exchange_expect(x, after_cancel))
        supervisor_wait_written(x->http->supervisor, x->told.operations->id, x->look_mono,
                                exchange_woken, x);
    else
        after_cancel(x);
}

/* Takes op. */
static void confirm_cancel(struct exchange *x, struct operation *op)
{
    told_one(&x->told, op);
    if (x->told.failed)
        x->broken = true;
    else
        wait_until_written(x);
}

/* Not a live one: it has ended, its record is gone, or it never was. */
static void answer_not_live(struct exchange *x, int64_t id)
{
    struct operation op;
    struct error err = {0};
    enum find_result found = supervisor_find(x->http->supervisor, id, &op, &err);

    if (found != FIND_FOUND) {
        answer_not_found(x, found, id, &err);
        return;
    }
    answer_too_late(x, &op);
    operation_deinit(&op);
}

void route_cancel(struct exchange *x)
{
    struct operation op = {0};
    int64_t id;

    if (!parse_operation_id(x, &id))
        return;
    switch (supervisor_cancel(x->http->supervisor, id, &x->who, &op)) {
    case CANCEL_DONE:
    case CANCEL_ASKED:
        op.id = id;
        confirm_cancel(x, &op);
        break;
    case CANCEL_UNKNOWN: answer_not_live(x, id); break;
    case CANCEL_NOT_YOURS:
        if (operation_ended(&op))
            answer_too_late(x, &op);
        else
            answer_not_yours(x, &op);
        break;
    case CANCEL_TOO_LATE: answer_too_late(x, &op); break;
    }
    operation_deinit(&op);
}
