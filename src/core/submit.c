/* From a request to an accepted operation: a place in line, the journal, then the answer.
 * Threads: any; the answer comes from whoever commits. */
#include "base/clock.h"
#include "base/log.h"
#include "base/nearest.h"
#include "end.h"
#include "supervisor_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCEPT_WITHIN (5 * USEC_PER_SEC)

struct submission {
    struct supervisor *supervisor;
    struct op *op;
    accept_done *done;
    void *context;
};

static void refuse(accept_done *done, void *context, enum accept_result result, const char *detail,
                   const char *nearest)
{
    done(context, &(struct acceptance){
                      .result = result,
                      .detail = detail,
                      .nearest = nearest && nearest[0] ? nearest : NULL,
                  });
}

static void note_journal(struct host *host, bool failing)
{
    if (atomic_exchange(&host->journal_failing, failing) != failing)
        board_touch(&host->board); /* its state is part of the status */
}

static void withdraw(struct op *op)
{
    if (service_withdraw(op->service, op))
        op_unref(op); /* the queue's */
    op_index_remove(&op->service->host->operations, op);
}

static void committed(void *context, int result)
{
    struct submission *submission = context;
    struct op *op = submission->op;
    struct operation copy;
    char why[256];

    note_journal(&submission->supervisor->host, result < 0);
    if (result == 0)
        result = service_copy_operation(op, &copy);
    if (result < 0) {
        withdraw(op);
        if (journal_writable(submission->supervisor->host.journal, why))
            snprintf(why, sizeof why, "%s", strerror(-result));
        log_warning("%s: %s of %s refused: the journal cannot be written: %s", op->record.service,
                    action_name(op->record.action), op->record.requested_by, why);
        refuse(submission->done, submission->context, REFUSED_JOURNAL_UNAVAILABLE, why, NULL);
    } else {
        op_log_accepted(op);
        if (!service_committed(op->service, op))
            op_cancel_queued(op, "the service is being closed");
        submission->done(submission->context, &(struct acceptance){ACCEPTED, &copy, "", NULL});
        operation_deinit(&copy);
    }
    op_unref(op);
    free(submission);
}

static void refuse_unknown(struct supervisor *supervisor, const struct request *request,
                           accept_done *done, void *context)
{
    char text[512], nearest[SERVICE_NAME_MAX + 1];

    if (supervisor_config_refusal(supervisor, request->service, text)) {
        refuse(done, context, REFUSED_CONFIG, text, NULL);
        return;
    }
    supervisor_nearest(supervisor, request->service, nearest);
    refuse(done, context, REFUSED_UNKNOWN_SERVICE, "", nearest);
}

static enum accept_result reserve(struct supervisor *supervisor, struct service *service,
                                  struct op *op)
{
    struct host *host = &supervisor->host;

    if (atomic_load(&host->closing))
        return REFUSED_CLOSING;
    if (atomic_fetch_add(&host->people_waiting, 1) >= host->config->queue_limit_total) {
        atomic_fetch_sub(&host->people_waiting, 1);
        return REFUSED_TOTAL_FULL;
    }
    switch (service_reserve(service, op)) {
    case RESERVED: return ACCEPTED;
    case RESERVE_FULL: atomic_fetch_sub(&host->people_waiting, 1); return REFUSED_QUEUE_FULL;
    case RESERVE_CLOSING: atomic_fetch_sub(&host->people_waiting, 1); return REFUSED_CLOSING;
    case RESERVE_REFUSED: atomic_fetch_sub(&host->people_waiting, 1); return REFUSED_CONFIG;
    }
    __builtin_unreachable();
}

void supervisor_submit(struct supervisor *supervisor, const struct request *request,
                       accept_done *done, void *context)
{
    struct service *service = registry_find(&supervisor->registry, request->service);
    struct submission *submission;
    enum accept_result result;
    char text[512] = "";

    if (!service) {
        refuse_unknown(supervisor, request, done, context);
        return;
    }
    submission = calloc(1, sizeof *submission);
    if (!submission) {
        refuse(done, context, REFUSED_JOURNAL_UNAVAILABLE, "out of memory", NULL);
        return;
    }
    *submission = (struct submission){supervisor, NULL, done, context};
    submission->op = op_new(service, service->name, request->action, ORIGIN_API, request->who.name,
                            request->timeout_us);
    result =
        submission->op ? reserve(supervisor, service, submission->op) : REFUSED_JOURNAL_UNAVAILABLE;
    if (result == ACCEPTED) {
        op_write(submission->op, NULL, clock_mono_us() + ACCEPT_WITHIN, committed, submission);
        return;
    }
    if (result == REFUSED_CONFIG && !supervisor_config_refusal(supervisor, request->service, text))
        snprintf(text, sizeof text, "its file is gone: it can only be stopped");
    op_unref(submission->op);
    free(submission);
    refuse(done, context, result, text, NULL);
}

enum cancel_result supervisor_cancel(struct supervisor *supervisor, int64_t id,
                                     const struct identity *who, struct operation *ret_operation)
{
    struct op *op = op_index_find(&supervisor->host.operations, id);
    enum cancel_result result = CANCEL_TOO_LATE;
    char detail[IDENTITY_MAX + 32];
    struct error err;

    if (!op)
        return supervisor_find(supervisor, id, ret_operation, &err) == FIND_FOUND ? CANCEL_TOO_LATE
                                                                                  : CANCEL_UNKNOWN;
    if (!service_visible(op)) {
        op_unref(op);
        return CANCEL_UNKNOWN;
    }
    snprintf(detail, sizeof detail, "cancelled by %s", who->name);
    if (op_automatic(op)) /* the supervisor relies on its own: a stop ends what it wants */
        result = CANCEL_NOT_YOURS;
    else if (op_cancel_queued(op, detail))
        result = CANCEL_DONE;
    if (service_copy_operation(op, ret_operation) < 0)
        result = CANCEL_UNKNOWN;
    op_unref(op);
    return result;
}
