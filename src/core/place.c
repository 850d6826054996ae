#include "place.h"

#include "base/fault.h"
#include "base/nearest.h"
#include "end.h"
#include "expand.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void refuse(struct submission *submission, enum accept_result result, const char *subject,
                   const char *detail)
{
    submission_end(submission,
                   &(struct acceptance){.result = result, .subject = subject, .detail = detail});
}

/* ---- who is meant ---- */

static void refuse_unknown(struct submission *submission, const char *name)
{
    struct supervisor *supervisor = submission->supervisor;
    char text[512] = "", nearest[SERVICE_NAME_MAX + 1] = "";

    if (supervisor_config_refusal(supervisor, name, text)) {
        refuse(submission, REFUSED_CONFIG, name, text);
        return;
    }
    supervisor_nearest(supervisor, name, nearest);
    if (name[0] == '@')
        snprintf(text, sizeof text, "no service has the tag \"%.128s\"", name + 1);
    else if (strpbrk(name, "*?["))
        snprintf(text, sizeof text, "no service matches \"%.128s\"", name);
    submission_end(submission, &(struct acceptance){
                                   .result = REFUSED_UNKNOWN_SERVICE,
                                   .subject = name,
                                   .detail = text,
                                   .nearest = nearest[0] ? nearest : NULL,
                               });
}

static void refuse_expansion(struct submission *submission, int result, const char *name)
{
    char text[160];

    if (result == -ENOENT) {
        refuse_unknown(submission, name);
        return;
    }
    if (result == -ENOMEM) {
        refuse(submission, REFUSED_JOURNAL_UNAVAILABLE, "", "out of memory");
        return;
    }
    snprintf(text, sizeof text,
             "it stands for more operations than all queues together may hold (%lld)",
             atomic_load(&submission->supervisor->host.queue_limit_total));
    refuse(submission, REFUSED_NEVER_FITS, "", text);
}

static bool make_ops(struct submission *submission, const struct request *request,
                     const struct targets *targets)
{
    submission->ops = calloc(targets->count ? targets->count : 1, sizeof(struct op *));
    if (!submission->ops)
        return false;
    for (size_t i = 0; i < targets->count; i++) {
        const struct target *t = &targets->items[i];
        struct op *op = op_new(t->service, t->service->name, t->item->action, ORIGIN_API,
                               request->who.name, t->item->timeout_us);

        if (!op)
            return false;
        submission->ops[submission->count++] = op;
        op->record.signal = t->item->signal;
        if (request->reason && !(op->record.reason = strdup(request->reason)))
            return false;
    }
    return true;
}

/* ---- places ---- */

struct ranked {
    struct op *op;
    size_t asked; /* its place in the request */
};

static int by_service(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    int order = strcmp(x->op->record.service, y->op->record.service);

    return order ? order : (x->asked > y->asked) - (x->asked < y->asked);
}

/* The operations by service; within one, as asked. NULL without memory. */
static struct op **sort_ops(const struct submission *submission)
{
    struct op **sorted = FAULT(batch_sort) ? NULL : calloc(submission->count, sizeof(struct op *));
    struct ranked *ranked = calloc(submission->count, sizeof *ranked);

    for (size_t i = 0; ranked && i < submission->count; i++)
        ranked[i] = (struct ranked){submission->ops[i], i};
    if (ranked)
        qsort(ranked, submission->count, sizeof *ranked, by_service);
    for (size_t i = 0; ranked && sorted && i < submission->count; i++)
        sorted[i] = ranked[i].op;
    if (!ranked) {
        free(sorted);
        sorted = NULL;
    }
    free(ranked);
    return sorted;
}

static size_t group_length(struct op *const *ops, size_t count)
{
    size_t length = 1;

    while (length < count && ops[length]->service == ops[0]->service)
        length++;
    return length;
}

static void withdraw(struct op *op)
{
    if (service_withdraw(op->service, op, WITHDRAW_ALONE))
        op_unref(op); /* the queue's */
    op_index_remove(&op->service->host->operations, op);
}

void place_withdraw_all(struct submission *submission)
{
    for (size_t i = submission->count; i > 0; i--)
        withdraw(submission->ops[i - 1]);
}

/* Every service of the request whose queue is full, so that one answer tells all. */
static void name_full(struct op *const *ops, size_t count, char *text, size_t size)
{
    size_t used = 0, length;

    for (size_t i = 0; i < count; i += length) {
        struct service *s = ops[i]->service;
        int64_t waiting, limit;

        length = group_length(ops + i, count - i);
        service_lock(s);
        waiting = (int64_t)s->queue.people;
        limit = s->queue_limit;
        service_unlock(s);
        if (waiting + (int64_t)length <= limit || used + 140 > size)
            continue;
        used += (size_t)snprintf(text + used, size - used,
                                 "%sthe queue of \"%s\" is full (%" PRId64 " of %" PRId64 " wait)",
                                 used ? "; " : "", s->name, waiting, limit);
    }
    if (used == 0)
        snprintf(text, size, "the queue of \"%s\" is full", ops[0]->record.service);
}

static void refuse_place(struct submission *submission, enum reserve_result result,
                         struct op *const *rest, size_t rest_count, const char *busy)
{
    const char *name = rest[0]->record.service;
    char text[1024] = "";

    switch (result) {
    case RESERVED: break;
    case RESERVE_NOT_NEEDED: refuse(submission, NOT_NEEDED, name, ""); break;
    case RESERVE_FULL:
        name_full(rest, rest_count, text, sizeof text);
        refuse(submission, REFUSED_QUEUE_FULL, name, text);
        break;
    case RESERVE_NEVER:
        snprintf(text, sizeof text,
                 "it holds %zu operations for \"%s\", more than its queue may hold",
                 group_length(rest, rest_count), name);
        refuse(submission, REFUSED_NEVER_FITS, name, text);
        break;
    case RESERVE_BUSY:
        snprintf(text, sizeof text, "\"%s\" is not idle: %s", name, busy);
        refuse(submission, REFUSED_NOT_IDLE, name, text);
        break;
    case RESERVE_NO_RELOAD:
        snprintf(text, sizeof text,
                 "\"%s\" cannot be reloaded: neither reload_signal nor reload_command is set in "
                 "[operation] of its file",
                 name);
        refuse(submission, REFUSED_NO_RELOAD, name, text);
        break;
    case RESERVE_CLOSING: refuse(submission, REFUSED_CLOSING, name, ""); break;
    case RESERVE_REFUSED:
        if (!supervisor_config_refusal(submission->supervisor, name, text))
            snprintf(text, sizeof text, "its file is gone: it can only be stopped");
        refuse(submission, REFUSED_CONFIG, name, text);
        break;
    }
}

/* Services in the order of their names; never two locks at once. */
static bool reserve_sorted(struct submission *submission, struct op **sorted,
                           const struct request *request)
{
    struct reserve_wish wish = {
        .mode = request->mode,
        .only_if_needed = request->only_if_needed,
        .coalesce = request->coalesce,
        .batch = request->batch ? &submission->batch : NULL,
    };
    size_t length;

    for (size_t i = 0; i < submission->count; i += length) {
        enum reserve_result result;

        length = group_length(sorted + i, submission->count - i);
        result = service_reserve(sorted[i]->service, sorted + i, length, &wish);
        if (result == RESERVED)
            continue;
        atomic_fetch_sub(&submission->supervisor->host.people_waiting,
                         (long long)(submission->count - i));
        for (size_t back = i; back > 0; back--)
            withdraw(sorted[back - 1]);
        refuse_place(submission, result, sorted + i, submission->count - i, wish.busy);
        return false;
    }
    return true;
}

static bool reserve_all(struct submission *submission, const struct request *request)
{
    struct host *host = &submission->supervisor->host;
    long long count = (long long)submission->count;
    struct op **sorted;
    bool reserved;

    if (atomic_load(&host->closing)) {
        refuse(submission, REFUSED_CLOSING, "", "");
        return false;
    }
    if (atomic_fetch_add(&host->people_waiting, count) + count >
            atomic_load(&host->queue_limit_total) &&
        request->mode != MODE_REPLACE) {
        atomic_fetch_sub(&host->people_waiting, count);
        refuse(submission, REFUSED_TOTAL_FULL, "", "");
        return false;
    }
    if (count == 1)
        return reserve_sorted(submission, submission->ops, request);
    sorted = sort_ops(submission);
    if (!sorted) {
        atomic_fetch_sub(&host->people_waiting, count);
        refuse(submission, REFUSED_JOURNAL_UNAVAILABLE, "", "out of memory");
        return false;
    }
    reserved = reserve_sorted(submission, sorted, request);
    free(sorted);
    return reserved;
}

bool place_all(struct submission *submission, const struct request *request)
{
    struct supervisor *supervisor = submission->supervisor;
    struct targets targets = {0};
    const char *unknown = "";
    int result =
        expand(&supervisor->registry, request,
               (size_t)atomic_load(&supervisor->host.queue_limit_total), &targets, &unknown);
    bool made;

    if (result < 0) {
        refuse_expansion(submission, result, unknown);
        return false;
    }
    made = make_ops(submission, request, &targets);
    free(targets.items);
    if (!made) {
        refuse(submission, REFUSED_JOURNAL_UNAVAILABLE, "", "out of memory");
        return false;
    }
    return reserve_all(submission, request);
}
