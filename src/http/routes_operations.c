/* Looking at operations: GET /operations, whole or of one batch, and GET /operations/<id>. */
#include "asking.h"
#include "base/units.h"
#include "encode.h"
#include "exchange.h"
#include "routes.h"
#include "server.h"
#include "waiting.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>

#define PAGE 1000

struct listed {
    struct operation *items;
    size_t count;
};

static void append(struct listed *to, struct operation *page, size_t count, bool *failed)
{
    struct operation *grown = realloc(to->items, (to->count + count + 1) * sizeof *grown);

    *failed = !grown;
    if (!grown) {
        operations_free(page, count);
        return;
    }
    to->items = grown;
    for (size_t i = 0; i < count; i++)
        grown[to->count++] = page[i];
    free(page);
}

/* Newest first. Of a batch everything, unless so many were asked for. false: the problem is
 * said. */
static bool list(struct exchange *x, struct operation_filter filter, struct listed *ret)
{
    bool whole = filter.batch && !(x->query.given & PARAMETER_LIMIT), failed = false;
    struct listed all = {0};
    struct operation *page;
    struct error err = {0};
    size_t count;

    if (whole)
        filter.limit = PAGE;
    do {
        if (supervisor_list(x->http->supervisor, &filter, &page, &count, &err) < 0) {
            operations_free(all.items, all.count);
            exchange_problem(x, PROBLEM_JOURNAL_UNAVAILABLE, "%s", err.text);
            return false;
        }
        if (count > 0)
            filter.before = page[count - 1].id;
        append(&all, page, count, &failed);
    } while (whole && !failed && count == PAGE);
    x->broken = failed;
    if (failed)
        operations_free(all.items, all.count);
    else
        *ret = all;
    return !failed;
}

/* Whether there is, or was, such a batch; else the problem is said. */
static bool batch_known(struct exchange *x, int64_t batch)
{
    struct operation op;
    struct error err = {0};
    enum find_result found = supervisor_find(x->http->supervisor, batch, &op, &err);
    bool is_batch = found == FIND_FOUND && op.batch == batch;

    if (found == FIND_FOUND)
        operation_deinit(&op);
    if (is_batch)
        return true;
    if (found == FIND_FOUND || found == FIND_UNKNOWN)
        exchange_problem(x, PROBLEM_UNKNOWN_OPERATION, "there is no batch %" PRId64, batch);
    else
        answer_not_found(x, found, batch, &err);
    return false;
}

/* An empty list is an answer only where its filters name something that is, or was. */
static bool filters_known(struct exchange *x, const struct operation_filter *filter)
{
    if (filter->batch && !batch_known(x, filter->batch))
        return false;
    /* What was removed has a history still; a typing error has none. */
    if (filter->service && !supervisor_service_known(x->http->supervisor, filter->service)) {
        answer_unknown_service(x, filter->service);
        return false;
    }
    return true;
}

/* Takes the list. */
static void wait_for_batch(struct exchange *x, struct listed *listed)
{
    x->told.operations = listed->items;
    x->told.count = listed->count;
    x->told.batch = x->query.batch;
    x->told.as_batch = true;
    if (!wants_wait(x))
        answer_told(x, told_status(&x->told));
    else if (exchange_take_place(x))
        wait_for_ends(x);
}

static bool check_wait(struct exchange *x)
{
    unsigned given = x->query.given, with = PARAMETER_WAIT | PARAMETER_BATCH;

    if (!(given & PARAMETER_WAIT) || given == with)
        return true;
    exchange_problem(x, PROBLEM_BAD_PARAMETER,
                     "parameter \"wait\" needs \"batch\" here, and no other beside it; one "
                     "operation is waited for at /operations/<id>");
    return false;
}

void route_list_operations(struct exchange *x)
{
    const struct query *query = &x->query;
    struct operation_filter filter = {
        .service = query->given & PARAMETER_SERVICE ? query->service : NULL,
        .batch = query->batch,
        .state = (int)query->state,
        .before = query->before,
        .limit = (size_t)query->limit,
    };
    struct listed listed = {0};
    struct text body = {0};

    if (!check_wait(x) || !list(x, filter, &listed))
        return;
    if (listed.count == 0 && !filters_known(x, &filter)) {
        operations_free(listed.items, 0);
        return;
    }
    if (query->given & PARAMETER_WAIT) {
        wait_for_batch(x, &listed);
        return;
    }
    encode_batch(filter.batch, listed.items, listed.count, &body);
    operations_free(listed.items, listed.count);
    exchange_answer(x, MHD_HTTP_OK, &body);
}

bool parse_operation_id(struct exchange *x, int64_t *ret_id)
{
    if (units_parse_int(x->argument, ret_id) == 0 && *ret_id > 0)
        return true;
    exchange_problem(x, PROBLEM_BAD_PARAMETER,
                     "an operation is named by its number, from 1, not \"%.64s\"", x->argument);
    return false;
}

void route_operation(struct exchange *x)
{
    struct operation op;
    struct error err = {0};
    enum find_result found;
    int64_t id;

    if (!parse_operation_id(x, &id))
        return;
    found = supervisor_find(x->http->supervisor, id, &op, &err);
    if (found != FIND_FOUND) {
        answer_not_found(x, found, id, &err);
        return;
    }
    told_one(&x->told, &op);
    if (x->told.failed)
        x->broken = true;
    else if (!(x->query.given & PARAMETER_WAIT))
        answer_told(x, MHD_HTTP_OK);
    else if (!wants_wait(x) ||
             (operation_ended(x->told.operations) && supervisor_announced(x->http->supervisor, id)))
        answer_told(x, told_status(&x->told));
    else if (exchange_take_place(x))
        wait_for_ends(x);
}
