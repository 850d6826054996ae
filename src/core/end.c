#include "end.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "host.h"
#include "op_queue.h"
#include "service.h"
#include "shutdown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void op_log_accepted(struct op *op, struct log_lines *lines)
{
    struct operation *r = &op->record; /* what is read here never changes */

    log_gather(lines, LOG_LEVEL_INFO, "%s: %s %lld accepted from %s (%s), %d before it", r->service,
               action_name(r->action), (long long)r->id, r->requested_by,
               name_of(&origin_names, (int)r->origin), r->position);
    event_operation(op);
}

void op_accepted(struct op *op)
{
    struct log_lines lines;

    lines.len = 0;
    op_log_accepted(op, &lines);
    log_written(&lines);
    /* the next daemon decides anew what this one wants by itself */
    op_write_all(&op, 1, &(struct op_write){.essential = true, .later = true});
}

static int write_copies(struct op *const *ops, size_t count, const struct op_write *how,
                        struct operation *copies, struct journal_entry *entries)
{
    size_t made = 0;
    int result = 0;

    while (made < count && (result = service_copy_operation(ops[made], &copies[made])) == 0) {
        entries[made] = (struct journal_entry){.operation = &copies[made]};
        made++;
    }
    entries[0].service = how->service;
    entries[0].key = how->key;
    entries[0].later = how->later;
    entries[0].give_up_mono = how->give_up_mono;
    entries[0].done = how->done;
    entries[0].context = how->context;
    for (size_t i = 0; i < count; i++)
        entries[i].essential = how->essential;
    if (result == 0)
        result = journal_submit(ops[0]->service->host->journal, entries, count);
    while (made > 0)
        operation_deinit(&copies[--made]);
    return result;
}

void op_write_all(struct op *const *ops, size_t count, const struct op_write *how)
{
    struct operation copy, *copies = count > 1 ? calloc(count, sizeof copy) : &copy;
    struct journal_entry entry, *entries = count > 1 ? calloc(count, sizeof entry) : &entry;
    int result = copies && entries ? write_copies(ops, count, how, copies, entries) : -ENOMEM;

    if (count > 1) {
        free(copies);
        free(entries);
    }
    if (result < 0)
        log_error("%s: operation %lld is not written down: %s", ops[0]->record.service,
                  (long long)ops[0]->record.id, strerror(-result));
    if (result < 0 && how->done)
        how->done(how->context, result);
}

static size_t count_with_joined(struct op *op)
{
    size_t count = 1;

    service_lock(op->service);
    list_for_each(link, &op->joined) count++;
    service_unlock(op->service);
    return count;
}

void op_write_joined(struct op *op, journal_done *done, void *context)
{
    size_t count = count_with_joined(op), found = 1;
    struct op **ops = count > 1 ? calloc(count, sizeof *ops) : &op;
    struct op_write how = {.essential = true, .done = done, .context = context};

    if (!ops) {
        done(context, -ENOMEM);
        return;
    }
    ops[0] = op;
    service_lock(op->service);
    list_for_each(link, &op->joined)
    {
        if (found == count)
            break; /* cannot happen: none joins any more */
        ops[found++] = op_ref(list_entry(link, struct op, link));
    }
    service_unlock(op->service);
    op_write_all(ops, found, &how);
    for (size_t i = 1; i < found; i++)
        op_unref(ops[i]);
    if (count > 1)
        free(ops);
}

/* Announced or written, whichever comes later. */
static void note(struct op *op, bool *what)
{
    struct host *host = op->service->host;
    bool settled;

    service_lock(op->service);
    *what = true;
    settled = op->settled = op->announced && op->written;
    service_unlock(op->service);
    if (!settled)
        return;
    wait_set_fire(&host->waits, &op->settled_waiters);
    op_index_remove(&host->operations, op);
}

static void settle(struct op *op, int result)
{
    if (result < 0)
        log_error("%s: the end of operation %lld could not be written down: %s", op->record.service,
                  (long long)op->record.id, strerror(-result));
    note(op, &op->written);
}

/* The ends are in the journal: whoever asks for the operations once they are announced, too, is
 * answered from there. */
static void settled(void *context, int result)
{
    struct op *op = context;

    list_for_each(link, &op->joined) settle(list_entry(link, struct op, link), result);
    settle(op, result);
    if (op->in_mark && atomic_fetch_sub(&op->service->ends_in_mark, 1) >= MARK_ENDS)
        service_post(op->service, MAIL_LOOK); /* the next one may have waited for room */
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

/* What costs memory, made before the lock is taken; without memory less is said. */
struct texts {
    char *detail;
    struct string_list output;
};

static void make_texts(struct texts *texts, const struct op_result *result)
{
    *texts = (struct texts){.detail = result->detail ? strdup(result->detail) : NULL};
    for (size_t i = 0; result->output && i < result->output->count; i++)
        if (string_list_add(&texts->output, result->output->items[i]) < 0)
            break;
}

static void drop_texts(struct texts *texts)
{
    free(texts->detail);
    string_list_clear(&texts->output);
}

/* Takes the texts. */
static void set_end(struct op *op, const struct op_result *result, int64_t now, struct texts *texts)
    REQUIRES(service_lock_class)
{
    struct operation *r = &op->record;

    r->state = result->state;
    r->changed = result->changed;
    r->exit = result->exit;
    r->finished_utc = now;
    free(r->detail);
    r->detail = take(texts->detail);
    free(r->waiting_for);
    r->waiting_for = NULL;
    string_list_clear(&r->output);
    r->output = texts->output;
    texts->output = (struct string_list){0};
}

/* Ends op and those that still stand in its joined: at most count, since none joins any more. */
static size_t end_all(struct op **ops, size_t count, const struct op_result *result,
                      struct texts *texts)
{
    struct service *s = ops[0]->service;
    size_t ended = 1;
    int64_t now = result->at_utc ? result->at_utc : clock_utc_us();

    service_lock(s);
    set_end(ops[0], result, now, &texts[0]);
    list_for_each(link, &ops[0]->joined)
    {
        if (ended == count)
            break; /* cannot happen */
        ops[ended] = list_entry(link, struct op, link);
        set_end(ops[ended], result, now, &texts[ended]);
        ended++;
    }
    service_unlock(s);
    return ended;
}

static void end_joined_alone(struct op *op, const struct op_result *result)
{
    struct op *joined;

    do {
        service_lock(op->service);
        joined = list_empty(&op->joined) ? NULL : list_entry(op->joined.next, struct op, link);
        if (joined)
            op_leave(joined);
        service_unlock(op->service);
        if (joined) {
            op_end(joined, result);
            op_announce(joined);
            op_unref(joined);
        }
    } while (joined);
}

void op_end(struct op *op, const struct op_result *result)
{
    size_t count = count_with_joined(op), ended;
    struct texts texts_of_one, *texts = count > 1 ? calloc(count, sizeof *texts) : &texts_of_one;
    struct op *one, **ops = count > 1 ? calloc(count, sizeof *ops) : &one;

    if (!texts || !ops) { /* without memory those that joined it end one by one */
        end_joined_alone(op, result);
        count = 1;
        free(texts);
        free(ops);
        texts = &texts_of_one;
        ops = &one;
    }
    ops[0] = op;
    for (size_t i = 0; i < count; i++)
        make_texts(&texts[i], result);
    ended = end_all(ops, count, result, texts);
    for (size_t i = 0; i < count; i++)
        drop_texts(&texts[i]);
    for (size_t i = 0; i < ended; i++) { /* nobody changes them any more */
        log_end(&ops[i]->record);
        event_operation(ops[i]);
    }
    op_write_all(ops, ended,
                 &(struct op_write){
                     .service = result->service,
                     .essential = true,
                     .later = result->later,
                     .done = settled,
                     .context = op_ref(op),
                 });
    if (texts != &texts_of_one) {
        free(texts);
        free(ops);
    }
}

static void announce(struct op *op)
{
    note(op, &op->announced);
    wait_set_fire(&op->service->host->waits, &op->waiters);
}

void op_announce(struct op *op)
{
    struct host *host = op->service->host;

    events_flush(&host->events); /* what led to it is not news to who has heard of it */
    list_for_each(link, &op->joined) announce(list_entry(link, struct op, link));
    announce(op);
    if (op->record.origin == ORIGIN_SHUTDOWN && atomic_fetch_sub(&host->stops_left, 1) == 1)
        shutdown_stops_done(host);
}

bool op_cancel_queued(struct op *op, const char *detail)
{
    if (!service_withdraw(op->service, op, WITHDRAW_ALONE))
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
            break;
        if (service_withdraw(s, op, WITHDRAW_ALONG)) {
            op_end(op, &(struct op_result){.state = OPERATION_CANCELLED, .detail = detail});
            op_announce(op);
            op_unref(op); /* the queue's */
        }
        op_unref(op);
    }
}
