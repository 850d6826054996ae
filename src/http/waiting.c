#include "waiting.h"

#include "base/clock.h"
#include "exchange.h"
#include "server.h"

#include <inttypes.h>
#include <microhttpd.h>

/* ---- answers ---- */

void answer_told(struct exchange *x, unsigned status)
{
    struct text body = {0};
    char location[LOCATION_SIZE];

    told_json(&x->told, &body);
    exchange_answer(x, status, &body);
    if (status != MHD_HTTP_ACCEPTED)
        return;
    told_location(&x->told, location);
    exchange_header(x, MHD_HTTP_HEADER_LOCATION, location);
}

void answer_not_found(struct exchange *x, enum find_result found, int64_t id,
                      const struct error *err)
{
    switch (found) {
    case FIND_FOUND: break;
    case FIND_UNKNOWN:
        exchange_problem(x, PROBLEM_UNKNOWN_OPERATION, "there is no operation %" PRId64, id);
        break;
    case FIND_PRUNED:
        exchange_problem(x, PROBLEM_GONE,
                         "operation %" PRId64 " has ended so long ago that its record is gone", id);
        break;
    case FIND_UNREADABLE: exchange_problem(x, PROBLEM_JOURNAL_UNAVAILABLE, "%s", err->text); break;
    }
}

bool refresh_told(struct exchange *x, size_t index)
{
    struct operation *op = &x->told.operations[index], now;
    struct error err = {0};
    enum find_result found = supervisor_find(x->http->supervisor, op->id, &now, &err);

    if (found != FIND_FOUND) {
        answer_not_found(x, found, op->id, &err);
        return false;
    }
    operation_deinit(op);
    *op = now;
    return true;
}

/* The time is up, or no more waits are granted. */
static void answer_as_it_is(struct exchange *x)
{
    for (size_t i = x->at; i < x->told.count; i++)
        if (!operation_ended(&x->told.operations[i]) && !refresh_told(x, i))
            return;
    answer_told(x, told_status(&x->told));
}

/* ---- waiting ---- */

static void look_again(struct exchange *x);

/* Stands at the first that has not ended, or has just now, and the status does not show it yet;
 * false: the problem is said. */
static bool skip_ended(struct exchange *x)
{
    while (x->at < x->told.count) {
        const struct operation *op = &x->told.operations[x->at];

        if (!operation_ended(op) && !refresh_told(x, x->at))
            return false;
        if (!operation_ended(op) || !supervisor_announced(x->http->supervisor, op->id))
            break;
        x->at++;
    }
    return true;
}

/* What has ended is not told before the status shows it, though the time is up: it is about to. */
static int64_t next_look(const struct exchange *x, int64_t now)
{
    int64_t next = now + WAIT_LOOK;

    return next < x->until_mono || operation_ended(&x->told.operations[x->at]) ? next
                                                                               : x->until_mono;
}

static void wait_for_next(struct exchange *x)
{
    int64_t now = clock_mono_us();

    if (!skip_ended(x))
        return;
    if (x->at == x->told.count || next_look(x, now) <= now || !exchange_expect(x, look_again)) {
        answer_as_it_is(x);
        return;
    }
    x->look_mono = next_look(x, now);
    supervisor_wait_operation(x->http->supervisor, x->told.operations[x->at].id, x->look_mono,
                              exchange_woken, x);
}

/* It has ended, the time is up, or it is time to look who is still there; a wait that is over
 * sooner without an end means that no more are granted. */
static void look_again(struct exchange *x)
{
    bool early = clock_mono_us() < x->look_mono;
    size_t stood = x->at;

    if (!skip_ended(x))
        return;
    if (x->at == stood && early)
        answer_as_it_is(x);
    else if (x->at < x->told.count && peer_gone(x->fd))
        x->broken = true;
    else
        wait_for_next(x);
}

void wait_for_ends(struct exchange *x)
{
    x->at = 0;
    x->until_mono = x->query.wait == CLOCK_NEVER ? CLOCK_NEVER : clock_mono_us() + x->query.wait;
    wait_for_next(x);
}
