/* logs: what a service wrote, and with -f what it writes. */
#include "ask.h"
#include "subcommands.h"

#include "base/clock.h"

#include <errno.h>

/* A terminal is shown nothing that could command it, unless that is asked for; a file or pipe gets
 * the bytes as they are. */
struct outlet {
    bool shows;
    struct harmless harmless;
    struct text shown;
    int error; /* errno of the write that failed */
};

static bool show(void *context, const char *data, size_t n)
{
    struct outlet *outlet = context;

    if (outlet->shows) {
        text_clear(&outlet->shown);
        harmless_feed(&outlet->harmless, data, n, &outlet->shown);
        data = outlet->shown.data;
        n = outlet->shown.len;
    }
    if (n == 0 || (fwrite(data, 1, n, stdout) == n && fflush(stdout) == 0))
        return true;
    outlet->error = errno;
    return false;
}

static void build_path(const struct cli *cli, struct text *path)
{
    const struct options *o = &cli->options;
    const char *mark = "?";

    text_append(path, "/logs/");
    path_append(path, o->words[1]);
    if (option_given(o, OPTION_LINES)) {
        text_appendf(path, "%slines=%lld", mark, (long long)o->lines);
        mark = "&";
    }
    if (option_given(o, OPTION_STREAM)) {
        text_appendf(path, "%sstream=%s", mark, o->stream);
        mark = "&";
    }
    if (option_given(o, OPTION_FOLLOW))
        text_appendf(path, "%sfollow", mark);
}

enum status cmd_logs(struct cli *cli)
{
    struct outlet outlet = {.shows =
                                cli->screen.terminal && !option_given(&cli->options, OPTION_RAW),
                            .harmless = {.lines = true}};
    bool follow = option_given(&cli->options, OPTION_FOLLOW);
    struct text path = {0};
    struct answer answer = {0};
    struct error err = {0};
    enum status status;
    int result;

    if (!check_name(cli->options.words[1]))
        return STATUS_UNKNOWN;
    status = ask_open(cli);
    if (status != STATUS_DONE)
        return status;
    build_path(cli, &path);
    result = path.failed ? error_set(&err, -ENOMEM, "%m")
                         : client_stream(cli->client, path.data, show, &outlet, &answer, &err);
    if (result == -EPIPE) {
        status = status_of_output(outlet.error);
    } else if (result < 0) {
        complain_of_failure(&err);
        status = status_of_failure(&err);
    } else if (answer.http != 200) {
        complain_of_answer(cli, &answer);
        status = status_of_answer(&answer);
    } else if (follow) { /* it has no end of its own */
        complain("orderlyd has ended the stream; it may be shutting down");
        status = STATUS_UNREACHABLE;
    }
    answer_deinit(&answer);
    text_deinit(&outlet.shown);
    text_deinit(&path);
    return status;
}
