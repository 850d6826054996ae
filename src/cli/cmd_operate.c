/* start, stop, restart: all are asked for first, in the order given, then waited for together. */
#include "ask.h"
#include "cli.h"
#include "services.h"
#include "wait.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Several names: nothing is asked for unless every one of them is known. */
static enum status check_all(struct cli *cli, const char *const *names, size_t count)
{
    enum status status = STATUS_DONE;
    const json_t *services;
    struct answer answer;

    for (size_t i = 0; i < count; i++)
        if (!check_name(names[i]))
            return STATUS_UNKNOWN;
    if (count == 1)
        return STATUS_DONE; /* the daemon itself says so */
    status = ask_path(cli, "GET", "/status", &answer);
    services = json_object_get(answer.json, "services");
    for (size_t i = 0; status == STATUS_DONE && i < count; i++) {
        const json_t *error;

        if (service_find(services, names[i]))
            continue;
        error = service_config_error(answer.json, names[i]);
        if (error)
            complain_of_config_error(error);
        else
            complain_of_unknown_service(services, names[i]);
        status = error ? STATUS_REFUSED : STATUS_UNKNOWN;
    }
    answer_deinit(&answer);
    return status;
}

static void build_path(const struct cli *cli, const char *action, const char *name,
                       struct text *path)
{
    text_appendf(path, "/%s/", action);
    path_append(path, name);
    if (option_given(&cli->options, OPTION_TIMEOUT))
        text_appendf(path, "?timeout=%lldus", (long long)cli->options.timeout_us);
}

/* false: the daemon cannot be asked for more. */
static bool submit(struct cli *cli, const char *action, const char *name, struct pending *pending,
                   struct progress *progress, size_t index)
{
    struct text path = {0};
    struct answer answer = {0};
    struct error err = {0};
    int result;

    build_path(cli, action, name, &path);
    result = path.failed
                 ? error_set(&err, -ENOMEM, "%m")
                 : client_request(cli->client, "POST", path.data, ASK_PATIENCE_US, &answer, &err);
    text_deinit(&path);
    if (result < 0) {
        complain_of_failure(&err);
        if (result == -ECONNABORTED || result == -ETIMEDOUT || result == -EINTR)
            complain("whether the %s of %s was accepted is not known; see: orderlyctl queue %s",
                     action, name, name);
        pending->over = true;
        pending->status = status_of_failure(&err);
        return false;
    }
    pending_take(pending, &answer, progress, index);
    return pending->status != STATUS_DENIED;
}

/* Asks for all of them; what was not even asked for ends as the one that failed. */
static void submit_all(struct cli *cli, const char *action, const char *const *names, size_t count,
                       struct pending *pending, struct progress *progress)
{
    bool goes_on = true;

    for (size_t i = 0; i < count; i++) {
        if (goes_on) {
            goes_on = submit(cli, action, names[i], &pending[i], progress, i);
            continue;
        }
        complain("the %s of %s was not asked for", action, names[i]);
        pending[i].over = true;
        pending[i].status = pending[i - 1].status;
    }
}

static enum status operate(struct cli *cli, const char *action)
{
    const char *const *names = cli->options.words + 1;
    size_t count = cli->options.count - 1;
    bool json = option_given(&cli->options, OPTION_JSON);
    struct pending *pending = calloc(count, sizeof *pending);
    struct progress progress = {0};
    enum status status = STATUS_FAILED;

    if (!pending || progress_init(&progress, &cli->screen, count, json) < 0) {
        complain("%s", strerror(ENOMEM));
        goto out;
    }
    status = ask_open(cli);
    if (status == STATUS_DONE)
        status = check_all(cli, names, count);
    if (status != STATUS_DONE)
        goto out;
    submit_all(cli, action, names, count, pending, &progress);
    if (!option_given(&cli->options, OPTION_NO_WAIT))
        wait_for(cli, pending, count, &progress, CLOCK_NEVER);
    pending_complain(cli, pending, count);
    if (json)
        pending_print_json(pending, count, count > 1);
    status = pending_status(pending, count);
out:
    for (size_t i = 0; pending && i < count; i++)
        pending_deinit(&pending[i]);
    free(pending);
    progress_deinit(&progress);
    return status;
}

enum status cmd_start(struct cli *cli)
{
    return operate(cli, "start");
}

enum status cmd_stop(struct cli *cli)
{
    return operate(cli, "stop");
}

enum status cmd_restart(struct cli *cli)
{
    return operate(cli, "restart");
}
