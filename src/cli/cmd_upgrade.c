/* upgrade: asks the daemon to become the program that now stands in its file, and waits until that
 * answers. */
#include "ask.h"
#include "fields.h"
#include "interrupt.h"
#include "subcommands.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_US   (50 * USEC_PER_MSEC)
#define WITHIN_US (60 * USEC_PER_SEC)

/* When the daemon that answers began, and its version; false: none answers. The caller frees both.
 */
static bool look(struct cli *cli, char **ret_since, char **ret_version)
{
    struct answer answer;
    struct error err = {0};
    const json_t *daemon;

    *ret_since = *ret_version = NULL;
    if (client_request(
            cli->client,
            &(struct request){.method = "GET", .path = "/status", .patience_us = ASK_PATIENCE_US},
            &answer, &err) < 0)
        return false;
    daemon = json_object_get(answer.json, "daemon");
    if (answer.http == 200) {
        *ret_since = strdup(field_string(daemon, "since"));
        *ret_version = strdup(field_string(daemon, "version"));
    }
    answer_deinit(&answer);
    return *ret_since && *ret_version;
}

static enum status wait_for_next(struct cli *cli, const char *since)
{
    int64_t within =
        option_given(&cli->options, OPTION_TIMEOUT) ? cli->options.timeout_us : WITHIN_US;
    int64_t until = clock_mono_us() + within;

    while (clock_mono_us() < until) {
        char *now = NULL, *version = NULL;
        bool next;

        pause_us(LOOK_US);
        if (interrupted()) {
            complain("the upgrade goes on");
            return STATUS_INTERRUPTED;
        }
        next = look(cli, &now, &version) && strcmp(now, since) != 0;
        if (next && !option_given(&cli->options, OPTION_JSON))
            printf("orderlyd is %s now; the services went on\n", version);
        free(now);
        free(version);
        if (next)
            return STATUS_DONE;
    }
    complain("the new daemon does not answer yet; its log says why");
    return STATUS_TIMED_OUT;
}

enum status cmd_upgrade(struct cli *cli)
{
    struct answer answer = {0};
    char *since = NULL, *version = NULL;
    enum status status = ask_open(cli);

    if (status == STATUS_DONE && !look(cli, &since, &version))
        since = strdup("");
    if (status == STATUS_DONE)
        status = ask_path(cli, "POST", "/daemon/upgrade", &answer);
    if (status == STATUS_DONE && option_given(&cli->options, OPTION_JSON))
        print_body(&answer);
    answer_deinit(&answer);
    if (status == STATUS_DONE && !option_given(&cli->options, OPTION_NO_WAIT))
        status = wait_for_next(cli, since ? since : "");
    free(since);
    free(version);
    return status;
}
