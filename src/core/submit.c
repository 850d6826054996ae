/* From a request to accepted operations: the key (idempotency.c), the services and places in line
 * (place.c), the journal, then the answer. A single request is a batch of one.
 * Threads: any; the answer comes from whoever commits. */
#include "submit.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "end.h"
#include "idempotency.h"
#include "place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCEPT_WITHIN (5 * USEC_PER_SEC)
/* A stop is accepted without the journal when that cannot be written. */
#define STOP_WITHIN (1 * USEC_PER_SEC)

static struct host *host_of(const struct submission *submission)
{
    return &submission->supervisor->host;
}

void submission_free(struct submission *submission)
{
    for (size_t i = 0; i < submission->count; i++)
        op_unref(submission->ops[i]);
    free(submission->ops);
    free(submission);
}

/* The end of every submission: says what came of it, to whoever waits for the same key too. */
static void answer(struct submission *submission, const struct acceptance *acceptance)
{
    keys_answer(&submission->supervisor->keys, submission->claim, acceptance);
    submission->done(submission->context, acceptance);
}

void submission_end(struct submission *submission, const struct acceptance *acceptance)
{
    answer(submission, acceptance);
    keys_forget(&submission->supervisor->keys, submission->claim);
    submission_free(submission);
}

/* ---- after the commit ---- */

static struct operation *copy_all(const struct submission *submission)
{
    struct operation *copies =
        FAULT(operation_copy) ? NULL : calloc(submission->count, sizeof *copies);
    size_t made = 0;

    while (copies && made < submission->count &&
           service_copy_operation(submission->ops[made], &copies[made]) == 0)
        made++;
    if (!copies || made == submission->count)
        return copies;
    while (made > 0)
        operation_deinit(&copies[--made]);
    free(copies);
    return NULL;
}

static struct acceptance acceptance_of(const struct submission *submission,
                                       const struct operation *copies)
{
    return (struct acceptance){
        .result = ACCEPTED,
        .operations = copies,
        .count = submission->count,
        .batch = submission->batch,
        .subject = "",
        .detail = "",
    };
}

static void free_copies(struct operation *copies, size_t count)
{
    for (size_t i = 0; copies && i < count; i++)
        operation_deinit(&copies[i]);
    free(copies);
}

static void log_accepted(const struct submission *submission)
{
    struct log_lines lines;

    lines.len = 0;
    for (size_t i = 0; i < submission->count; i++)
        op_log_accepted(submission->ops[i], &lines);
    log_written(&lines);
}

/* All are told of before the first may begin: from then on the workers compete with us, and an
 * answer is waited for. */
static void let_begin(struct submission *submission)
{
    log_accepted(submission);
    for (size_t i = 0; i < submission->count; i++) {
        struct op *op = submission->ops[i];

        if (!service_committed(op->service, op))
            op_cancel_queued(op, "the service is being closed");
    }
}

/* Takes copies. */
static void accept_all(struct submission *submission, struct operation *copies)
{
    struct acceptance acceptance = acceptance_of(submission, copies);

    let_begin(submission);
    answer(submission, &acceptance);
    free_copies(copies, submission->count);
    keys_forget(&submission->supervisor->keys, submission->claim);
    submission_free(submission);
}

static bool all_stops(const struct submission *submission)
{
    for (size_t i = 0; i < submission->count; i++)
        if (submission->ops[i]->record.action != ACTION_STOP)
            return false;
    return true;
}

static void write_down(struct submission *submission, int64_t give_up_mono, journal_done *done)
{
    struct journal_key key;
    struct op_write how = {
        .essential = all_stops(submission),
        .give_up_mono = give_up_mono,
        .done = done,
        .context = submission,
    };

    if (submission->claim) {
        key_claim_record(submission->claim, &key);
        key.operation = submission->batch ? submission->batch : submission->ops[0]->record.id;
        key.batch = submission->batch != 0;
        how.key = &key;
    }
    op_write_all(submission->ops, submission->count, &how);
}

static void set_durable(struct submission *submission, bool durable)
{
    for (size_t i = 0; i < submission->count; i++) {
        struct op *op = submission->ops[i];

        service_lock(op->service);
        op->record.durable = durable;
        service_unlock(op->service);
    }
}

/* What had been accepted without the journal is in it now; or the daemon ends. */
static void written_later(void *context, int result)
{
    struct submission *submission = context;

    set_durable(submission, result == 0);
    keys_forget(&submission->supervisor->keys, submission->claim);
    submission_free(submission);
}

static struct submission *again(const struct submission *submission)
{
    struct submission *later = calloc(1, sizeof *later);

    if (!later)
        return NULL;
    *later = *submission;
    later->ops = calloc(submission->count, sizeof *later->ops);
    if (!later->ops) {
        free(later);
        return NULL;
    }
    for (size_t i = 0; i < later->count; i++)
        later->ops[i] = op_ref(submission->ops[i]);
    return later;
}

/* Stops go on without the journal: their rows are kept until it can be written. */
static void accept_stops(struct submission *submission)
{
    struct submission *later = again(submission);
    struct operation *copies;
    struct acceptance acceptance;

    set_durable(submission, false);
    copies = copy_all(submission);
    if (!later || !copies) {
        if (later)
            submission_free(later);
        free_copies(copies, submission->count);
        place_withdraw_all(submission);
        submission_end(submission, &(struct acceptance){.result = REFUSED_JOURNAL_UNAVAILABLE,
                                                        .subject = "",
                                                        .detail = "out of memory"});
        return;
    }
    acceptance = acceptance_of(submission, copies);
    /* In this order: a repeat is answered from the claim until the row is written, and the row
     * comes before that of the beginning. */
    keys_answer(&submission->supervisor->keys, submission->claim, &acceptance);
    write_down(later, 0, written_later);
    log_warning("%s: accepted without the journal, which cannot be written",
                submission->ops[0]->record.service);
    let_begin(submission);
    submission->done(submission->context, &acceptance);
    free_copies(copies, submission->count);
    submission_free(submission);
}

static void refuse_journal(struct submission *submission, int result)
{
    struct op *first = submission->ops[0];
    char why[256];

    if (journal_writable(host_of(submission)->journal, why))
        snprintf(why, sizeof why, "%s", strerror(-result));
    log_warning("%s: %s of %s refused: the journal cannot be written: %s", first->record.service,
                action_name(first->record.action), first->record.requested_by, why);
    place_withdraw_all(submission);
    submission_end(
        submission,
        &(struct acceptance){.result = REFUSED_JOURNAL_UNAVAILABLE, .subject = "", .detail = why});
}

/* Cannot happen while one daemon has the journal: who has the claim has looked. */
static void refuse_key(struct submission *submission)
{
    place_withdraw_all(submission);
    submission_end(submission, &(struct acceptance){.result = REFUSED_KEY_REUSED,
                                                    .subject = "",
                                                    .detail = "the Idempotency-Key has been used "
                                                              "for another request meanwhile"});
}

/* They stand in the journal by now: so they must end there too. */
static void end_unanswered(struct submission *submission)
{
    log_accepted(submission);
    for (size_t i = 0; i < submission->count; i++)
        op_cancel_queued(submission->ops[i], "out of memory");
    submission_end(submission, &(struct acceptance){.result = REFUSED_JOURNAL_UNAVAILABLE,
                                                    .subject = "",
                                                    .detail = "out of memory"});
}

static void committed(void *context, int result)
{
    struct submission *submission = context;
    struct operation *copies = result == 0 ? copy_all(submission) : NULL;

    if (copies)
        accept_all(submission, copies);
    else if (result == 0)
        end_unanswered(submission);
    else if (result == -EEXIST)
        refuse_key(submission);
    else if (all_stops(submission) && result != -ENOMEM && result != -ECANCELED)
        accept_stops(submission);
    else
        refuse_journal(submission, result);
}

static void commit(struct submission *submission)
{
    bool stops = all_stops(submission);

    if (stops && !journal_takes_essential(host_of(submission)->journal))
        accept_stops(submission);
    else
        write_down(submission, clock_mono_us() + (stops ? STOP_WITHIN : ACCEPT_WITHIN), committed);
}

void supervisor_submit(struct supervisor *supervisor, const struct request *request,
                       accept_done *done, void *context)
{
    struct submission *submission = FAULT(submission_new) ? NULL : calloc(1, sizeof *submission);

    if (!submission) {
        done(context, &(struct acceptance){.result = REFUSED_JOURNAL_UNAVAILABLE,
                                           .subject = "",
                                           .detail = "out of memory"});
        return;
    }
    *submission = (struct submission){
        .supervisor = supervisor,
        .done = done,
        .context = context,
    };
    if (request->key && !idempotency_check(submission, request))
        return;
    if (place_all(submission, request))
        commit(submission);
}
