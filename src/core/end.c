#include "end.h"

#include "base/clock.h"
#include "base/log.h"
#include "host.h"
#include "service.h"
#include "shutdown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void op_log_accepted(struct op *op)
{
    struct operation *r = &op->record; /* what is read here never changes */

    log_info("%s: %s %lld accepted from %s (%s), %d before it", r->service, action_name(r->action),
             (long long)r->id, r->requested_by, name_of(&origin_names, (int)r->origin),
             r->position);
}

void op_accepted(struct op *op)
{
    op_log_accepted(op);
    op_write(op, NULL, 0, NULL, NULL);
}

void op_write(struct op *op, const struct service_record *service, int64_t give_up_mono,
              journal_done *done, void *context)
{
    struct operation copy;
    struct journal_entry entry = {
        .operation = &copy,
        .service = service,
        .give_up_mono = give_up_mono,
        .done = done,
        .context = context,
    };
    int result = service_copy_operation(op, &copy);

    if (result == 0) {
        result = journal_submit(op->service->host->journal, &entry, 1);
        operation_deinit(&copy);
    }
    if (result < 0 && done)
        done(context, result);
}

/* The end is in the journal: whoever asks for the operation from now on is answered from there. */
static void settled(void *context, int result)
{
    struct op *op = context;

    service_lock(op->service);
    op->settled = true;
    service_unlock(op->service);
    wait_set_fire(&op->service->host->waits, &op->settled_waiters);
    if (result < 0)
        log_error("%s: the end of operation %lld could not be written down: %s", op->record.service,
                  (long long)op->record.id, strerror(-result));
    op_index_remove(&op->service->host->operations, op);
    op_unref(op);
}

static void log_end(const struct operation *r)
{
    int64_t began = r->started_utc ? r->started_utc : r->accepted_utc;

    log_line(r->state == OPERATION_SUCCEEDED ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
             "%s: %s %lld of %s %s after %.3f s%s%s", r->service, action_name(r->action),
             (long long)r->id, r->requested_by, operation_state_name(r->state),
             (double)(r->finished_utc - began) / 1e6, r->detail ? ": " : "",
             r->detail ? r->detail : "");
}

void op_end(struct op *op, const struct op_result *result)
{
    struct service *s = op->service;
    struct operation *r = &op->record;
    char *detail = result->detail ? strdup(result->detail) : NULL;

    service_lock(s);
    r->state = result->state;
    r->changed = result->changed;
    r->exit = result->exit;
    r->finished_utc = clock_utc_us();
    free(r->detail);
    r->detail = detail;
    free(r->waiting_for);
    r->waiting_for = NULL;
    if (result->output) {
        r->output = *result->output;
        *result->output = (struct string_list){0};
    }
    service_unlock(s);
    log_end(r); /* nobody changes it any more */
    op_write(op, result->service, 0, settled, op_ref(op));
}

void op_announce(struct op *op)
{
    struct host *host = op->service->host;

    service_lock(op->service);
    op->announced = true;
    service_unlock(op->service);
    wait_set_fire(&host->waits, &op->waiters);
    if (op->record.origin == ORIGIN_SHUTDOWN && atomic_fetch_sub(&host->stops_left, 1) == 1)
        shutdown_stops_done(host);
}

bool op_cancel_queued(struct op *op, const char *detail)
{
    if (!service_withdraw(op->service, op))
        return false;
    op_end(op, &(struct op_result){.state = OPERATION_CANCELLED, .detail = detail});
    op_announce(op);
    op_unref(op); /* the queue's */
    return true;
}

void op_cancel_all(struct service *s, const char *detail)
{
    struct op *op;

    for (;;) {
        service_lock(s);
        op = op_queue_first_committed(&s->queue);
        if (op)
            op_ref(op);
        service_unlock(s);
        if (!op)
            return;
        op_cancel_queued(op, detail);
        op_unref(op);
    }
}
