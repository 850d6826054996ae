/* rotate: new log files, for one service after the other. */
#include "ask.h"
#include "fields.h"
#include "interrupt.h"
#include "services.h"
#include "subcommands.h"

#include <errno.h>

static void say(const struct cli *cli, const struct answer *answer, const char *name)
{
    if (option_given(&cli->options, OPTION_JSON))
        return;
    if (field_true(answer->json, "rotated"))
        printf("%s: a new log file has begun\n", name);
    else if (answer->http == 200)
        printf("%s: its log stays: %s\n", name, field_string(answer->json, "detail"));
    else
        complain("%s: its log was not rotated: %s", name, field_string(answer->json, "detail"));
}

/* STATUS_FAILED, with an answer: it was tried in vain. */
static enum status rotate(struct cli *cli, const char *name, json_t *results)
{
    struct text path = {0};
    struct answer answer = {0};
    struct error err = {0};
    enum status status;
    int result;

    text_append(&path, "/rotate/");
    path_append(&path, name);
    result = path.failed ? error_set(&err, -ENOMEM, "%m")
                         : client_request(cli->client,
                                          &(struct request){.method = "POST",
                                                            .path = path.data,
                                                            .patience_us = ASK_PATIENCE_US},
                                          &answer, &err);
    if (result < 0) {
        complain_of_failure(&err);
        status = status_of_failure(&err);
    } else if (field_given(answer.json, "rotated")) {
        status = answer.http == 200 ? STATUS_DONE : STATUS_FAILED;
        json_array_append(results, answer.json);
        say(cli, &answer, name);
    } else {
        status = status_of_answer(&answer);
        complain_of_answer(cli, &answer);
    }
    answer_deinit(&answer);
    text_deinit(&path);
    return status;
}

static bool goes_on(enum status status)
{
    return status != STATUS_UNREACHABLE && status != STATUS_DENIED && !interrupted();
}

static enum status rotate_all(struct cli *cli, const json_t *chosen, json_t *results)
{
    enum status status = STATUS_DONE;
    const json_t *service;
    size_t i;

    json_array_foreach(chosen, i, service)
    {
        if (goes_on(status))
            status = status_worse(status, rotate(cli, field_string(service, "name"), results));
    }
    return interrupted() ? STATUS_INTERRUPTED : status;
}

enum status cmd_rotate(struct cli *cli)
{
    const struct options *o = &cli->options;
    struct answer answer;
    json_t *chosen, *results = json_array();
    enum status status = services_ask(cli, o->words + 1, o->count - 1, &answer, &chosen);

    if (status == STATUS_DONE && results)
        status = rotate_all(cli, chosen, results);
    if (option_given(o, OPTION_JSON) && json_array_size(results) > 0) {
        json_dumpf(json_array_size(chosen) == 1 ? json_array_get(results, 0) : results, stdout,
                   JSON_COMPACT);
        putchar('\n');
    }
    json_decref(results);
    json_decref(chosen);
    answer_deinit(&answer);
    return status;
}
