#include "idempotency.h"

#include "journal/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void refuse(struct submission *submission, enum accept_result result, const char *detail)
{
    submission_end(submission,
                   &(struct acceptance){.result = result, .subject = "", .detail = detail});
}

static void refuse_reused(struct submission *submission, int64_t operation)
{
    char text[128];

    if (operation)
        snprintf(text, sizeof text,
                 "the Idempotency-Key was used for another request, which made operation %lld",
                 (long long)operation);
    else
        snprintf(text, sizeof text, "another request with this Idempotency-Key is on its way");
    refuse(submission, REFUSED_KEY_REUSED, text);
}

/* What the first request has made, as it is now: *ret_operations is the caller's. */
static enum find_result find_made(struct supervisor *supervisor, int64_t id, bool batch,
                                  struct operation **ret_operations, size_t *ret_count,
                                  struct error *err)
{
    struct operation_filter filter = {
        .batch = id,
        .state = -1,
        .limit = (size_t)atomic_load(&supervisor->host.queue_limit_total),
    };
    enum find_result found;

    if (batch) {
        if (supervisor_list(supervisor, &filter, ret_operations, ret_count, err) < 0)
            return FIND_UNREADABLE;
        if (*ret_count > 0)
            return FIND_FOUND;
        free(*ret_operations);
        return FIND_PRUNED;
    }
    *ret_count = 1;
    *ret_operations = calloc(1, sizeof **ret_operations);
    if (!*ret_operations) {
        error_set(err, -ENOMEM, "out of memory");
        return FIND_UNREADABLE;
    }
    found = supervisor_find(supervisor, id, *ret_operations, err);
    if (found != FIND_FOUND)
        free(*ret_operations);
    return found;
}

static int by_id(const void *a, const void *b)
{
    int64_t ia = ((const struct operation *)a)->id, ib = ((const struct operation *)b)->id;

    return ia < ib ? -1 : ia > ib;
}

/* The same answer as to the first request, with the records as they are now. */
static void answer_again(struct submission *submission, int64_t id, bool batch)
{
    struct operation *operations = NULL;
    size_t count = 0;
    struct error err = {0};

    switch (find_made(submission->supervisor, id, batch, &operations, &count, &err)) {
    case FIND_FOUND: break;
    case FIND_UNREADABLE: refuse(submission, REFUSED_JOURNAL_UNAVAILABLE, err.text); return;
    case FIND_UNKNOWN:
    case FIND_PRUNED:
        refuse(submission, REFUSED_GONE,
               "the record of the operation that was made with this Idempotency-Key is gone");
        return;
    }
    qsort(operations, count, sizeof *operations, by_id);
    submission_end(submission, &(struct acceptance){
                                   .result = ACCEPTED,
                                   .operations = operations,
                                   .count = count,
                                   .batch = batch ? id : 0,
                                   .subject = "",
                                   .detail = "",
                               });
    while (count > 0)
        operation_deinit(&operations[--count]);
    free(operations);
}

static bool only_stops(const struct request *request)
{
    for (size_t i = 0; i < request->count; i++)
        if (request->items[i].action != ACTION_STOP)
            return false;
    return true;
}

/* True: the key is new, and the request goes on. */
static bool check_journal(struct submission *submission, const struct request *request,
                          const char *canonical)
{
    struct journal_key_found found = {0};
    struct error err = {0};
    bool there = false;

    if (journal_find_key(submission->supervisor->host.journal, request->who.name, request->key,
                         &there, &found, &err) < 0) {
        if (only_stops(request))
            return true; /* stopped twice is stopped */
        refuse(submission, REFUSED_JOURNAL_UNAVAILABLE, err.text);
        return false;
    }
    if (!there)
        return true;
    if (strcmp(found.request, canonical) == 0)
        answer_again(submission, found.operation, found.batch);
    else
        refuse_reused(submission, found.operation);
    free(found.request);
    return false;
}

/* Two requests are the same when these texts are. */
static char *canonical_request(const struct request *request)
{
    struct text t = {0};

    text_appendf(&t, "%s%s%s %d %s", request->batch ? "batch " : "",
                 request->only_if_needed ? "goal " : "", name_of(&mode_names, (int)request->mode),
                 (int)request->coalesce, request->reason ? request->reason : "");
    for (size_t i = 0; i < request->count; i++) {
        const struct request_item *item = &request->items[i];

        text_appendf(&t, "\n%s %s %lld %d", action_name(item->action), item->service,
                     (long long)item->timeout_us, item->signal);
    }
    return text_take(&t);
}

bool idempotency_check(struct submission *submission, const struct request *request)
{
    struct keys *keys = &submission->supervisor->keys;
    char *canonical = canonical_request(request);
    enum claim_result result = CLAIM_NO_MEMORY;
    int64_t operation = 0;
    bool batch = false, goes_on = false;

    if (canonical)
        result = keys_claim(keys, request->who.name, request->key, canonical, submission->done,
                            submission->context, &submission->claim, &operation, &batch);
    switch (result) {
    case CLAIM_MINE: goes_on = check_journal(submission, request, canonical); break;
    case CLAIM_WAITS: submission_free(submission); break; /* done is called by the other */
    case CLAIM_ANSWERED: answer_again(submission, operation, batch); break;
    case CLAIM_REUSED: refuse_reused(submission, operation); break;
    case CLAIM_NO_MEMORY: refuse(submission, REFUSED_JOURNAL_UNAVAILABLE, "out of memory"); break;
    }
    free(canonical);
    return goes_on;
}
