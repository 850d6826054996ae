/* What an accepted operation pushes out of its way: a stop ends automatic starts and what waits for
 * a dependency; one that replaces ends everything before it, but for a stop that runs.
 * Threads: the turn's. */
#include "end.h"
#include "host.h"
#include "turn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 160

/* ---- a stop ---- */

static struct op *in_the_way_of_a_stop(struct service *s)
{
    struct op *op = NULL, *head;

    service_lock(s);
    if (op_queue_stop_waits(&s->queue)) {
        op = op_queue_automatic_start(&s->queue);
        if (op && !op->committed)
            op = NULL; /* its commit brings us here again */
        head = op_queue_head(&s->queue);
        if (!op && s->waiting_op && head->record.id == s->waiting_op &&
            head->record.action != ACTION_STOP)
            op = head;
        if (op)
            op_ref(op);
    }
    service_unlock(s);
    return op;
}

/* ---- one that replaces ---- */

/* The first that stands before the last one that replaces; NULL: none, then *ret_active says
 * whether the active one is to go. text: what its record will say. */
static struct op *replaced(struct service *s, bool *ret_active, char text[static TEXT_SIZE])
{
    struct op *op = NULL, *replacer;

    *ret_active = false;
    service_lock(s);
    replacer = op_queue_replacer(&s->queue);
    if (replacer) {
        op = op_queue_first_committed(&s->queue);
        if (op == replacer) {
            op = NULL;
            *ret_active = s->active && s->active->record.action != ACTION_STOP;
        }
        if (op)
            op_ref(op);
        snprintf(text, TEXT_SIZE, "replaced by %s %lld of %s", action_name(replacer->record.action),
                 (long long)replacer->record.id, replacer->record.requested_by);
    }
    service_unlock(s);
    return op;
}

static void give_up_active(struct service *s, const char *text)
{
    if (s->begin_waits) {
        finish_before_machine(s, OPERATION_SUPERSEDED, text);
    } else if (!s->output_waits) {
        free(s->given_up);
        s->given_up = strdup(text);
        turn_step(s, (struct machine_event){.kind = EVENT_SUPERSEDE});
    }
}

static void supersede(struct service *s, struct op *op, const char *text)
{
    if (service_withdraw(s, op, WITHDRAW_ALONG)) {
        finish_superseded(s, op, text);
        op_unref(op); /* the queue's */
    }
    op_unref(op);
}

/* While the journal cannot be written a restart cannot begin; a stop need not wait for it. */
static bool hopeless(struct service *s)
{
    bool stop_waits;

    if (!s->begin_waits || s->begin_written)
        return false;
    service_lock(s);
    stop_waits = op_queue_stop_waits(&s->queue);
    service_unlock(s);
    return stop_waits && !journal_takes_essential(s->host->journal);
}

void make_way(struct service *s)
{
    char text[TEXT_SIZE];
    struct op *op;
    bool active;

    while ((op = in_the_way_of_a_stop(s)))
        supersede(s, op, "a stop was accepted meanwhile");
    while ((op = replaced(s, &active, text)))
        supersede(s, op, text);
    if (active)
        give_up_active(s, text);
    if (hopeless(s))
        finish_before_machine(s, OPERATION_SUPERSEDED,
                              "its beginning could not be written to the journal, and a stop was "
                              "accepted meanwhile");
}
