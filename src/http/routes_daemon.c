/* The daemon itself: whether it lives, what it is, its configuration, its end. */
#include "base/log.h"
#include "encode.h"
#include "exchange.h"
#include "reread.h"
#include "routes.h"
#include "server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

void route_healthz(struct exchange *x)
{
    bool alive = supervisor_alive(x->http->supervisor);
    struct text body = {0};

    text_appendf(&body, "{\"alive\":%s}", alive ? "true" : "false");
    exchange_answer(x, alive ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, &body);
}

void route_readyz(struct exchange *x)
{
    char why[256] = "";
    bool ready = supervisor_accepting(x->http->supervisor, why);
    struct text body = {0};

    text_appendf(&body, "{\"ready\":%s", ready ? "true" : "false");
    if (!ready) {
        text_append(&body, ",\"detail\":");
        text_json_string(&body, why);
    }
    text_append(&body, "}");
    exchange_answer(x, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, &body);
}

void route_version(struct exchange *x)
{
    struct text body = {0};

    supervisor_version_json(x->http->supervisor, &body);
    exchange_answer(x, MHD_HTTP_OK, &body);
}

static void append_problem(struct text *t, const char *file, int line, const char *key,
                           const char *message)
{
    text_appendf(t, "; %s", file);
    if (line > 0)
        text_appendf(t, ":%d", line);
    text_appendf(t, ": %s%s%s", key ? key : "", key ? ": " : "", message);
}

/* Takes all, the errors one after the other. */
static void refuse_reload(struct exchange *x, struct text *all)
{
    exchange_problem(x, PROBLEM_CONFIG_REFUSED, "nothing was changed%s",
                     all->failed || all->len == 0 ? "" : all->data);
    text_deinit(all);
}

static void refuse_services(struct exchange *x, const struct problems *problems)
{
    struct text all = {0};

    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *p = &problems->items[i];

        if (!p->warning)
            append_problem(&all, p->file, p->line, p->key, p->message);
    }
    refuse_reload(x, &all);
}

/* Whether tokens and certificate could be read anew. */
static bool check_secrets(struct exchange *x)
{
    struct reread_fault faults[REREAD_COUNT];
    size_t count = reread_try(x->http->config.config, faults);
    struct text all = {0};

    if (count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        append_problem(&all, faults[i].file, faults[i].line, NULL, faults[i].err.text);
    refuse_reload(x, &all);
    return false;
}

static void answer_applied(struct exchange *x, const struct reload_result *result)
{
    struct reread_fault faults[REREAD_COUNT];
    size_t count = reread(x->http, faults);
    struct text body = {0};

    encode_reload(result, faults, count, &body);
    exchange_answer(x, MHD_HTTP_OK, &body);
}

static int reload(struct exchange *x, struct reload_result *ret_result, struct error *err)
{
    const struct http_config *config = &x->http->config;
    int result;

    config->reloading(config->context, true);
    result = supervisor_reload(x->http->supervisor, x->query.strict, &x->who, ret_result, err);
    config->reloading(config->context, false);
    return result;
}

void route_reload(struct exchange *x)
{
    struct reload_result result;
    struct error err = {0};

    if (x->query.strict && !check_secrets(x))
        return;
    if (reload(x, &result, &err) < 0) {
        exchange_problem(x, PROBLEM_CONFIG_REFUSED, "nothing was changed; %s", err.text);
        return;
    }
    if (result.applied)
        answer_applied(x, &result);
    else
        refuse_services(x, &result.problems);
    reload_result_deinit(&result);
}

static void shut_down(struct exchange *x)
{
    x->http->config.shutdown(x->http->config.context, x->query.leave);
}

/* It begins when the answer is out. */
void route_shutdown(struct exchange *x)
{
    struct text body = {0};

    log_info("shutdown asked for by %s%s", x->who.name,
             x->query.leave ? ", the services are left running" : "");
    text_appendf(&body, "{\"shutting_down\":true,\"leave\":%s}", x->query.leave ? "true" : "false");
    exchange_answer(x, MHD_HTTP_OK, &body);
    x->completed = shut_down;
}

static void upgrade(struct exchange *x)
{
    x->http->config.upgrade(x->http->config.context);
}

/* So does this; whoever waits is answered before the new program begins. */
void route_upgrade(struct exchange *x)
{
    struct text body = {0};
    struct error err = {0};

    if (x->http->config.can_upgrade(x->http->config.context, &err) < 0) {
        exchange_problem(x, PROBLEM_CANNOT_UPGRADE, "nothing was changed; %s", err.text);
        return;
    }
    log_info("upgrade asked for by %s", x->who.name);
    text_append(&body, "{\"upgrading\":true,\"from\":\"" ORDERLY_VERSION "\"}");
    exchange_answer(x, MHD_HTTP_ACCEPTED, &body);
    x->completed = upgrade;
}
