/* GET /status, whole and since a revision, and GET /status/<service>. */
#include "base/clock.h"
#include "encode.h"
#include "exchange.h"
#include "logs/logs.h"
#include "revision.h"
#include "routes.h"
#include "server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

#define RECENT_OPERATIONS 10

static void answer_not_modified(struct exchange *x, struct revision revision)
{
    char text[REVISION_TEXT_SIZE], tag[REVISION_TEXT_SIZE + 2];

    revision_format(revision, text);
    snprintf(tag, sizeof tag, "\"%s\"", text);
    exchange_respond(x, MHD_HTTP_NOT_MODIFIED,
                     MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT));
    exchange_header(x, MHD_HTTP_HEADER_ETAG, tag);
    exchange_header(x, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
}

static void answer_whole(struct exchange *x)
{
    struct revision now = supervisor_revision(x->http->supervisor);
    const char *known =
        MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);

    if (!(x->query.given & PARAMETER_SINCE) && revision_matches(known, now))
        answer_not_modified(x, now);
    else
        exchange_answer_shared(x, MHD_HTTP_OK,
                               status_cache_get(&x->http->status, x->http->supervisor));
}

static void answer_delta(struct exchange *x)
{
    bool forgotten;
    struct shared_answer *changes = status_cache_since(&x->http->status, x->http->supervisor,
                                                       x->query.since.number, &forgotten);

    if (forgotten)
        answer_whole(x);
    else
        exchange_answer_shared(x, MHD_HTTP_OK, changes);
}

static void wait_for_change(struct exchange *x);

/* Something has changed, the time is up, or it is time to look who is still there; a wait that is
 * over sooner without a change means that no more are granted. */
static void look_again(struct exchange *x)
{
    struct revision now = supervisor_revision(x->http->supervisor);
    int64_t time = clock_mono_us();

    if (now.number != x->query.since.number || time >= x->until_mono || time < x->look_mono)
        answer_delta(x);
    else if (peer_gone(x->fd))
        x->broken = true;
    else
        wait_for_change(x);
}

static void wait_for_change(struct exchange *x)
{
    int64_t next_look = clock_mono_us() + WAIT_LOOK;

    if (!exchange_expect(x, look_again)) {
        answer_delta(x);
        return;
    }
    x->look_mono = next_look < x->until_mono ? next_look : x->until_mono;
    supervisor_wait_status(x->http->supervisor, x->query.since.number, x->look_mono, exchange_woken,
                           x);
}

static void answer_since(struct exchange *x)
{
    struct revision now = supervisor_revision(x->http->supervisor), since = x->query.since;

    if (since.epoch != now.epoch || since.number == 0 || since.number > now.number) {
        answer_whole(x); /* of another daemon */
    } else if (since.number < now.number || x->query.wait == 0) {
        answer_delta(x);
    } else if (exchange_take_place(x)) {
        x->until_mono =
            x->query.wait == CLOCK_NEVER ? CLOCK_NEVER : clock_mono_us() + x->query.wait;
        wait_for_change(x);
    }
}

void route_status(struct exchange *x)
{
    if (x->query.given & PARAMETER_SINCE)
        answer_since(x);
    else if (x->query.given & PARAMETER_WAIT)
        exchange_problem(x, PROBLEM_BAD_PARAMETER,
                         "parameter \"wait\" needs \"since\", the revision that is known already");
    else
        answer_whole(x);
}

void answer_unknown_service(struct exchange *x, const char *name)
{
    char text[512], nearest[SERVICE_NAME_MAX + 1];

    if (supervisor_config_refusal(x->http->supervisor, name, text)) {
        exchange_problem(x, PROBLEM_CONFIG_REFUSED, "%s", text);
        return;
    }
    supervisor_nearest(x->http->supervisor, name, nearest);
    if (*nearest)
        exchange_problem(x, PROBLEM_UNKNOWN_SERVICE,
                         "there is no service \"%.128s\"; did you mean \"%s\"?", name, nearest);
    else
        exchange_problem(x, PROBLEM_UNKNOWN_SERVICE, "there is no service \"%.128s\"", name);
}

static void append_recent(struct exchange *x, struct text *body)
{
    struct operation_filter filter = {
        .service = x->argument, .state = -1, .limit = RECENT_OPERATIONS};
    struct operation *operations;
    size_t count;

    text_append(body, ",\"operations\":");
    if (supervisor_list(x->http->supervisor, &filter, &operations, &count, NULL) == 0) {
        encode_operations(operations, count, body);
        operations_free(operations, count);
    } else {
        text_append(body, "null");
    }
}

/* What changes by itself, or only looks into one service need; it is not in the snapshot. */
static void append_momentary(struct exchange *x, const struct service_status *status,
                             struct text *body)
{
    struct supervisor *supervisor = x->http->supervisor;
    struct usage usage;
    struct log_trouble trouble;
    bool used = supervisor_usage(supervisor, x->argument, &usage);
    bool logged = logs_find_trouble(supervisor_logs(supervisor), x->argument, &trouble);

    text_append(body, ",\"unit_state\":");
    text_json_string(body, status->unit_state);
    text_append(body, ",\"invocation_id\":");
    text_json_string(body, status->invocation_id);
    encode_usage(used ? &usage : NULL, body);
    encode_trouble(logged ? &trouble : NULL, body);
}

void route_service_status(struct exchange *x)
{
    struct service_status *status = supervisor_service_status(x->http->supervisor, x->argument);
    struct text body = {0};

    if (!status) {
        answer_unknown_service(x, x->argument);
        return;
    }
    status_json(status, &body);
    if (!body.failed)
        body.len--; /* the closing brace: some members more */
    append_momentary(x, status, &body);
    status_free(status);
    append_recent(x, &body);
    text_append(&body, "}");
    exchange_answer(x, MHD_HTTP_OK, &body);
}
