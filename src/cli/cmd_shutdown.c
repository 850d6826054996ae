/* shutdown: asks the daemon to end, and waits until it has. */
#include "ask.h"
#include "fields.h"
#include "interrupt.h"
#include "subcommands.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>

#define LOOK_US (200 * USEC_PER_MSEC)

/* The pid of the daemon that answers; 0: it does not say; -errno: there is none. */
static int64_t daemon_pid(struct cli *cli)
{
    struct answer answer;
    struct error err = {0};
    int64_t pid;

    if (client_request(
            cli->client,
            &(struct request){.method = "GET", .path = "/status", .patience_us = ASK_PATIENCE_US},
            &answer, &err) < 0)
        return err.code;
    pid = field_int(json_object_get(answer.json, "daemon"), "pid");
    answer_deinit(&answer);
    return pid;
}

/* Until nobody answers any more, or somebody else does: a service manager may start the next one
 * at once. */
static enum status wait_until_gone(struct cli *cli, int64_t pid)
{
    const struct options *o = &cli->options;
    int64_t until = option_given(o, OPTION_TIMEOUT) ? clock_mono_us() + o->timeout_us : CLOCK_NEVER;

    for (;;) {
        int64_t now_pid = pause_us(LOOK_US) ? daemon_pid(cli) : -EINTR;

        if (interrupted()) {
            complain("the shutdown goes on");
            return STATUS_INTERRUPTED;
        }
        if (now_pid < 0)
            break;
        if (now_pid > 0 && pid > 0 && now_pid != pid) {
            printf("orderlyd has shut down; another one runs already, pid %" PRId64 "\n", now_pid);
            return STATUS_DONE;
        }
        if (clock_mono_us() >= until) {
            complain("orderlyd is still shutting down");
            return STATUS_TIMED_OUT;
        }
    }
    if (!option_given(o, OPTION_JSON))
        puts("orderlyd has shut down");
    return STATUS_DONE;
}

enum status cmd_shutdown(struct cli *cli)
{
    bool leave = option_given(&cli->options, OPTION_LEAVE);
    struct answer answer;
    enum status status = ask_open(cli);
    int64_t pid = status == STATUS_DONE ? daemon_pid(cli) : 0;

    if (status == STATUS_DONE)
        status =
            ask_path(cli, "POST", leave ? "/daemon/shutdown?leave" : "/daemon/shutdown", &answer);
    else
        answer = (struct answer){0};
    if (status == STATUS_DONE && option_given(&cli->options, OPTION_JSON))
        print_body(&answer);
    else if (status == STATUS_DONE)
        puts(leave ? "orderlyd is shutting down, the services go on" : "orderlyd is shutting down");
    fflush(stdout);
    answer_deinit(&answer);
    if (status == STATUS_DONE && !option_given(&cli->options, OPTION_NO_WAIT))
        status = wait_until_gone(cli, pid);
    return status;
}
