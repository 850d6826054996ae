/* Looking operations and services up: what lives in memory, the rest in the journal.
 * Threads: any. */
#include "base/clock.h"
#include "base/nearest.h"
#include "supervisor_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum find_result supervisor_find(struct supervisor *supervisor, int64_t id,
                                 struct operation *ret_operation, struct error *err)
{
    struct op *op = op_index_find(&supervisor->host.operations, id);
    enum journal_find found;
    int result;

    if (op) {
        bool visible = service_visible(op);

        result = visible ? service_copy_operation(op, ret_operation) : 0;
        op_unref(op);
        if (result < 0) {
            error_set(err, result, "operation %lld: %m", (long long)id);
            return FIND_UNREADABLE;
        }
        return visible ? FIND_FOUND : FIND_UNKNOWN;
    }
    if (journal_find(supervisor->host.journal, id, &found, ret_operation, err) < 0)
        return FIND_UNREADABLE;
    return found == JOURNAL_FOUND    ? FIND_FOUND
           : found == JOURNAL_PRUNED ? FIND_PRUNED
                                     : FIND_UNKNOWN;
}

static bool matches(const struct operation *r, const struct operation_filter *filter)
{
    return (!filter->service || strcmp(filter->service, r->service) == 0) &&
           (filter->batch == 0 || r->batch == filter->batch) &&
           (filter->state < 0 || (int)r->state == filter->state) &&
           (filter->before == 0 || r->id < filter->before);
}

static int newest_first(const void *a, const void *b)
{
    int64_t ia = ((const struct operation *)a)->id, ib = ((const struct operation *)b)->id;

    return ia < ib ? 1 : ia > ib ? -1 : 0;
}

struct found {
    struct operation *items;
    size_t count;
};

static int add_found(struct found *found, const struct operation *operation)
{
    struct operation *grown = realloc(found->items, (found->count + 1) * sizeof *grown);

    if (!grown)
        return -ENOMEM;
    found->items = grown;
    grown[found->count++] = *operation;
    return 0;
}

static bool has(struct op *const *ops, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (ops[i]->record.id == id)
            return true;
    return false;
}

/* Those in memory are the truth; the journal's rows of the same ids are older. */
static int merge(struct op **live, size_t live_count, struct operation *written,
                 size_t written_count, const struct operation_filter *filter, struct found *found)
{
    struct operation copy;
    int result = 0;

    for (size_t i = 0; i < live_count && result == 0; i++) {
        if (!service_visible(live[i]))
            continue;
        result = service_copy_operation(live[i], &copy);
        if (result < 0)
            break;
        if (matches(&copy, filter))
            result = add_found(found, &copy);
        else
            operation_deinit(&copy);
    }
    for (size_t i = 0; i < written_count; i++)
        if (result < 0 || has(live, live_count, written[i].id))
            operation_deinit(&written[i]);
        else
            result = add_found(found, &written[i]);
    return result;
}

int supervisor_list(struct supervisor *supervisor, const struct operation_filter *filter,
                    struct operation **ret_operations, size_t *ret_count, struct error *err)
{
    struct op **live = NULL;
    struct operation *written = NULL;
    size_t live_count = 0, written_count = 0;
    struct found found = {0};
    struct journal_filter rows = {
        .service = filter->service,
        .batch = filter->batch,
        .state = filter->state,
        .before = filter->before,
        .limit = filter->limit,
    };
    int result = op_index_all(&supervisor->host.operations, &live, &live_count);

    if (result < 0)
        return error_set(err, result, "list operations: %m");
    result = journal_list(supervisor->host.journal, &rows, &written, &written_count, err);
    if (result == 0) {
        result = merge(live, live_count, written, written_count, filter, &found);
        if (result < 0)
            error_set(err, result, "list operations: %m");
    }
    for (size_t i = 0; i < live_count; i++)
        op_unref(live[i]);
    free(live);
    free(written);
    if (found.count > 1)
        qsort(found.items, found.count, sizeof *found.items, newest_first);
    while (found.count > (result < 0 ? 0 : filter->limit))
        operation_deinit(&found.items[--found.count]);
    if (result < 0) {
        free(found.items);
        return result;
    }
    *ret_operations = found.items;
    *ret_count = found.count;
    return 0;
}

void supervisor_wait_operation(struct supervisor *supervisor, int64_t id, int64_t until_mono,
                               wait_done *done, void *context)
{
    struct host *host = &supervisor->host;
    struct op *op = op_index_find(&host->operations, id);
    bool waits = false;

    if (op) {
        service_lock(op->service); /* its end is told after it was set under this lock */
        waits =
            !op->announced && wait_set_add(&host->waits, &op->waiters, until_mono, done, context);
        service_unlock(op->service);
        op_unref(op);
    }
    if (!waits)
        done(context);
}

bool supervisor_announced(struct supervisor *supervisor, int64_t id)
{
    struct op *op = op_index_find(&supervisor->host.operations, id);
    bool announced = !op || service_announced(op);

    op_unref(op);
    return announced;
}

void supervisor_wait_written(struct supervisor *supervisor, int64_t id, int64_t until_mono,
                             wait_done *done, void *context)
{
    struct host *host = &supervisor->host;
    struct op *op = op_index_find(&host->operations, id);
    bool waits = false;

    if (op) {
        service_lock(op->service);
        waits = !op->settled &&
                wait_set_add(&host->waits, &op->settled_waiters, until_mono, done, context);
        service_unlock(op->service);
        op_unref(op);
    }
    if (!waits)
        done(context);
}

bool supervisor_written(struct supervisor *supervisor, int64_t id)
{
    struct op *op = op_index_find(&supervisor->host.operations, id);
    bool written = true;

    if (op) {
        service_lock(op->service);
        written = op->settled;
        service_unlock(op->service);
        op_unref(op);
    }
    return written;
}

/* ---- services ---- */

struct nearest_service {
    struct nearest best;
};

static void offer(struct service *s, void *context)
{
    struct nearest_service *nearest = context;

    if (!s->removed)
        nearest_offer(&nearest->best, s->name);
}

void supervisor_nearest(struct supervisor *supervisor, const char *name, char *text)
{
    struct nearest_service nearest = {.best = {.typed = name}};

    registry_lock(&supervisor->registry);
    registry_each(&supervisor->registry, offer, &nearest);
    snprintf(text, SERVICE_NAME_MAX + 1, "%s", nearest.best.word ? nearest.best.word : "");
    registry_unlock(&supervisor->registry);
}

bool supervisor_service_known(struct supervisor *supervisor, const char *name)
{
    return registry_find(&supervisor->registry, name) != NULL;
}

struct service_status *supervisor_service_status(struct supervisor *supervisor, const char *name)
{
    return board_status(&supervisor->host.board, name);
}

bool supervisor_usage(struct supervisor *supervisor, const char *name, struct usage *ret_usage)
{
    struct service_status *status = board_status(&supervisor->host.board, name);
    bool known = status && (status->place || status->pid);

    if (known)
        usage_read(status->place, status->pid, ret_usage);
    status_free(status);
    return known;
}

bool supervisor_config_refusal(struct supervisor *supervisor, const char *name,
                               char text[static 512])
{
    struct registry *registry = &supervisor->registry;
    bool found = false;

    registry_lock(registry);
    for (size_t i = 0; i < registry->refused_count && !found; i++) {
        const struct refused_service *refused = &registry->refused[i];

        found = strcmp(refused->name, name) == 0;
        if (found) {
            char *said = registry_refusal_text(refused);

            snprintf(text, 512, "%s", said ? said : "its file is refused");
            free(said);
        }
    }
    registry_unlock(registry);
    return found;
}
