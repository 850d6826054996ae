#include "asking.h"

#include "exchange.h"
#include "server.h"
#include "waiting.h"

#include <microhttpd.h>

/* ---- refusals ---- */

static const char *subject(const struct exchange *x)
{
    const char *said = x->told.subject;

    return said && *said ? said : x->argument ? x->argument : "";
}

static void answer_unknown(struct exchange *x)
{
    const char *detail = x->told.detail, *near = x->told.nearest;
    struct text fact = {0};

    if (detail && *detail)
        text_append(&fact, detail);
    else
        text_appendf(&fact, "there is no service \"%.128s\"", subject(x));
    if (near)
        text_appendf(&fact, "; did you mean \"%s\"?", near);
    if (fact.failed)
        x->broken = true;
    else
        exchange_problem(x, PROBLEM_UNKNOWN_SERVICE, "%s", fact.data);
    text_deinit(&fact);
}

/* What the core has to say, or what is to be said when it adds nothing; %s is the service. */
static void refuse(struct exchange *x, enum problem_code code, const char *before,
                   const char *after)
{
    const char *detail = x->told.detail, *name = subject(x);

    if (detail && *detail)
        exchange_problem(x, code, "%s", detail);
    else if (after)
        exchange_problem(x, code, "%s \"%.128s\" %s", before, name, after);
    else
        exchange_problem(x, code, "%s", before);
}

static void answer_not_needed(struct exchange *x)
{
    struct text body = {0};

    text_append(&body, "{\"service\":");
    text_json_string(&body, x->argument);
    text_appendf(&body, ",\"goal\":\"%s\",\"operation\":null}",
                 name_of(&goal_names, (int)x->query.goal));
    exchange_answer(x, MHD_HTTP_OK, &body);
}

static void answer_refusal(struct exchange *x)
{
    switch (x->told.result) {
    case ACCEPTED: break;
    case NOT_NEEDED: answer_not_needed(x); break;
    case REFUSED_UNKNOWN_SERVICE: answer_unknown(x); break;
    case REFUSED_CONFIG: refuse(x, PROBLEM_CONFIG_REFUSED, "the file of", "is refused"); break;
    case REFUSED_NO_RELOAD:
        refuse(x, PROBLEM_CANNOT_RELOAD, "the service",
               "cannot be reloaded: set reload_signal or reload_command in its [operation]");
        break;
    case REFUSED_NOT_IDLE: refuse(x, PROBLEM_NOT_IDLE, "the service", "is not idle"); break;
    case REFUSED_QUEUE_FULL:
        refuse(x, PROBLEM_QUEUE_FULL, "the queue of", "is full; ask again later");
        break;
    case REFUSED_TOTAL_FULL:
        refuse(x, PROBLEM_QUEUE_FULL,
               "the queues of all services together are full; ask again later", NULL);
        break;
    case REFUSED_NEVER_FITS:
        refuse(x, PROBLEM_NEVER_FITS, "the batch would not fit into empty queues", NULL);
        break;
    case REFUSED_KEY_REUSED:
        refuse(x, PROBLEM_KEY_REUSED, "the Idempotency-Key was used for another request", NULL);
        break;
    case REFUSED_GONE:
        refuse(x, PROBLEM_GONE,
               "the Idempotency-Key was used for an operation whose record is gone", NULL);
        break;
    case REFUSED_CLOSING: refuse(x, PROBLEM_CLOSING, "the daemon is shutting down", NULL); break;
    case REFUSED_JOURNAL_UNAVAILABLE:
        refuse(x, PROBLEM_JOURNAL_UNAVAILABLE, "the journal cannot be written", NULL);
        break;
    }
}

/* ---- asking ---- */

bool wants_wait(const struct exchange *x)
{
    return x->query.given & PARAMETER_WAIT && x->query.wait > 0;
}

static void after_acceptance(struct exchange *x)
{
    if (x->told.failed)
        x->broken = true;
    else if (x->told.result != ACCEPTED)
        answer_refusal(x);
    else if (wants_wait(x))
        wait_for_ends(x);
    else
        answer_told(x, MHD_HTTP_ACCEPTED);
}

/* On whatever thread committed it: only takes what was said. */
static void take_acceptance(void *context, const struct acceptance *acceptance)
{
    struct exchange *x = context;

    told_acceptance(&x->told, acceptance);
    exchange_arrived(x);
}

static enum coalesce coalesce_of(const struct query *query)
{
    if (!(query->given & PARAMETER_COALESCE))
        return COALESCE_AS_CONFIGURED;
    return query->coalesce ? COALESCE_YES : COALESCE_NO;
}

void ask(struct exchange *x, const struct request_item *items, size_t count, enum asked asked)
{
    struct request request = {
        .items = items,
        .count = count,
        .batch = asked == ASKED_BATCH,
        .only_if_needed = asked == ASKED_IF_NEEDED,
        .mode = (enum mode)x->query.mode,
        .coalesce = coalesce_of(&x->query),
        .reason = x->query.given & PARAMETER_REASON ? x->query.reason : NULL,
        .key = x->key,
        .who = x->who,
    };

    /* The place first: once it is accepted nothing can be refused any more. */
    if (wants_wait(x) && !exchange_take_place(x))
        return;
    x->told.as_batch = request.batch;
    if (exchange_expect(x, after_acceptance))
        supervisor_submit(x->http->supervisor, &request, take_acceptance, x);
    else
        exchange_problem(x, PROBLEM_CLOSING, "the daemon is shutting down");
}
