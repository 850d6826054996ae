#include "operate.h"

#include "ask.h"

#include "model/operation.h"

#include <errno.h>
#include <string.h>

static bool check_timeout(const struct options *o)
{
    if (o->timeout_us > OPERATION_LONGEST_US)
        complain("--timeout: an operation may take at most 24h, not %s", o->timeout);
    else if (o->timeout_us < OPERATION_SHORTEST_US)
        complain("--timeout: an operation may take at least 1ms, not %s", o->timeout);
    else
        return true;
    return false;
}

bool operate_check(const struct options *o)
{
    size_t len = o->reason ? strlen(o->reason) : 1;

    if (option_given(o, OPTION_TIMEOUT) && !check_timeout(o))
        return false;
    if (len >= 1 && len <= REASON_MAX)
        return true;
    complain("--reason: a reason has 1 to %d bytes, not %zu", REASON_MAX, len);
    return false;
}

void operate_parameters(const struct options *o, struct text *body)
{
    if (option_given(o, OPTION_TIMEOUT)) {
        text_append(body, ",\"timeout\":");
        text_json_string(body, o->timeout);
    }
    if (option_given(o, OPTION_NOW) || option_given(o, OPTION_MODE))
        text_appendf(body, ",\"mode\":\"%s\"", o->mode ? o->mode : "replace");
    if (option_given(o, OPTION_COALESCE))
        text_appendf(body, ",\"coalesce\":%s", o->coalesce ? "true" : "false");
    if (option_given(o, OPTION_REASON)) {
        text_append(body, ",\"reason\":");
        text_json_string(body, o->reason);
    }
}

enum status operate_ask(struct cli *cli, const char *method, const struct text *path,
                        const struct text *body, const char *what, struct answer *ret_answer)
{
    struct request request = {.method = method,
                              .path = path->data,
                              .body = body->data,
                              .key = cli->options.key,
                              .patience_us = ASK_PATIENCE_US};
    struct error err = {0};
    int result;

    *ret_answer = (struct answer){0};
    if (path->failed || body->failed) {
        complain("%s", strerror(ENOMEM));
        return STATUS_FAILED;
    }
    result = client_request(cli->client, &request, ret_answer, &err);
    if (result == 0)
        return STATUS_DONE;
    complain_of_failure(&err);
    if (result == -ECONNABORTED || result == -ETIMEDOUT || result == -EINTR)
        complain("whether the %s was accepted is not known; %s", what,
                 request.key ? "asking again with the same key does it once"
                             : "see: orderlyctl queue, orderlyctl history");
    return status_of_failure(&err);
}

void operate_wait(struct waiting *w)
{
    if (!option_given(&w->cli->options, OPTION_NO_WAIT))
        waiting_wait(w, CLOCK_NEVER);
}
