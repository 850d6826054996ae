/* Operations that the last daemon had accepted and not ended: what had not begun waits again, what
 * had begun goes on or ends here, and nothing is done twice.
 * Threads: before the workers start. */
#include "base/clock.h"
#include "base/log.h"
#include "supervisor_private.h"

#include <stdlib.h>
#include <string.h>

/* Without a detail it went well, and nothing else is to be said of it. */
static void end_lost(struct supervisor *supervisor, struct operation *operation,
                     enum operation_state state, int64_t at_utc, const char *detail)
{
    struct journal_entry entry = {.operation = operation, .essential = true};

    operation->state = state;
    operation->finished_utc = at_utc;
    free(operation->detail);
    operation->detail = detail ? strdup(detail) : NULL;
    if (detail)
        log_warning("%s: %s %lld %s: %s", operation->service, action_name(operation->action),
                    (long long)operation->id, operation_state_name(state), detail);
    if (journal_submit(supervisor->host.journal, &entry, 1) < 0)
        log_error("operation %lld: out of memory", (long long)operation->id);
}

static void interrupt(struct supervisor *supervisor, struct operation *operation,
                      const char *detail)
{
    end_lost(supervisor, operation, OPERATION_INTERRUPTED, clock_utc_us(), detail);
}

/* Whether it is among those that began or ended as one, of which the first did it and the others
 * had joined: what stood between them and was cancelled has a number between theirs. */
static bool is_among(const struct operation *operation, int64_t first, int64_t last)
{
    return operation->id == first ||
           (operation->coalesced_into && operation->coalesced_into <= first &&
            operation->id > first && operation->id <= last);
}

/* What they had joined when they were accepted may have been cancelled since. */
static void take_joining(struct operation *operation, int64_t first)
{
    operation->coalesced_into = operation->id == first ? 0 : first;
}

/* A mark may know more of it than the journal, which is told later. */
static void take_beginning(const struct service *s, struct operation *operation)
{
    const struct mark_begin *begun = &s->mark.begun;

    if (operation->started_mono > 0 || !is_among(operation, begun->first, begun->last))
        return;
    operation->state = OPERATION_RUNNING;
    operation->started_utc = begun->at_utc;
    operation->started_mono = begun->at_mono;
    operation->begin_generation = begun->generation;
}

/* What ended before the journal was told of it is not done again; nor is what stood before the last
 * that has begun, for that has ended or was given up. */
static bool had_ended(struct supervisor *supervisor, const struct service *s,
                      struct operation *operation)
{
    const struct mark_end *ends = s->mark.ends;

    for (size_t i = 0; ends && i < MARK_ENDS; i++)
        if (is_among(operation, ends[i].first, ends[i].last)) {
            operation->changed = ends[i].changed;
            operation->started_utc = ends[i].began_utc;
            take_joining(operation, ends[i].first);
            end_lost(supervisor, operation, ends[i].state, ends[i].at_utc,
                     ends[i].state == OPERATION_SUCCEEDED ? NULL
                                                          : "it ended so before the daemon did");
            return true;
        }
    if (operation->id >= s->mark.begun.first)
        return false;
    interrupt(supervisor, operation,
              "it had ended, how was lost with the daemon: the journal had not been told");
    return true;
}

/* Back into the queue, in the order in which they were accepted; what had begun goes on. */
void boot_requeue(struct supervisor *supervisor, struct operation *operation)
{
    struct service *s = registry_find(&supervisor->registry, operation->service);
    struct op *op;

    if (operation->origin != ORIGIN_API) {
        interrupt(supervisor, operation, "the daemon was started anew and decides again");
        return;
    }
    if (!s) {
        interrupt(supervisor, operation, "the service is no longer there");
        return;
    }
    if (!s->known && operation->action != ACTION_STOP) {
        interrupt(supervisor, operation, "the service's file is gone or refused");
        return;
    }
    take_beginning(s, operation);
    if (had_ended(supervisor, s, operation))
        return;
    if (operation->started_mono > 0 &&
        (operation->action == ACTION_RELOAD || operation->action == ACTION_SIGNAL)) {
        interrupt(supervisor, operation,
                  "the daemon ended meanwhile: whether it was done is not known");
        return;
    }
    op = op_new(s, s->name, operation->action, operation->origin, operation->requested_by,
                operation->timeout_us);
    if (!op || operation_copy(&op->record, operation) < 0) {
        interrupt(supervisor, operation, "out of memory");
        op_unref(op);
        return;
    }
    op->committed = true;
    op->resumed = operation->state == OPERATION_RUNNING && operation->started_mono > 0;
    op->record.state = OPERATION_QUEUED;
    service_requeue(s, op);
    op_index_add(&supervisor->host.operations, op);
    atomic_fetch_add(&supervisor->host.people_waiting, 1);
    op_unref(op);
}
