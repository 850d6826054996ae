/* events: what happens, a line each, until Ctrl-C; goes on by itself with the next daemon. */
#include "ask.h"
#include "event_line.h"
#include "event_stream.h"
#include "interrupt.h"
#include "subcommands.h"

#include "base/clock.h"

#include <errno.h>

#define RETRY_US (200 * USEC_PER_MSEC)

struct following {
    struct cli *cli;
    struct event_stream stream;
    bool gone; /* the daemon, and that was said */
    int error; /* errno of the write that failed */
};

static bool write_line(struct following *f, const char *line)
{
    if (fputs(line, stdout) >= 0 && putchar('\n') >= 0 && fflush(stdout) == 0)
        return true;
    f->error = errno;
    return false;
}

static bool show(void *context, const char *data)
{
    struct following *f = context;
    struct text line = {0};
    json_t *event;
    bool shown;

    if (option_given(&f->cli->options, OPTION_JSON))
        return write_line(f, data);
    event = json_loads(data, 0, NULL);
    event_line(event, &line);
    shown = write_line(f, line.data ? line.data : "");
    json_decref(event);
    text_deinit(&line);
    return shown;
}

static bool take(void *context, const char *data, size_t n)
{
    struct following *f = context;

    if (f->gone)
        complain("orderlyd answers again");
    f->gone = false;
    if (event_stream_feed(&f->stream, data, n))
        return true;
    if (f->error == 0)
        f->error = errno;
    return false;
}

static void build_path(const struct following *f, struct text *path)
{
    const struct options *o = &f->cli->options;
    const char *mark = "?";

    text_append(path, "/events");
    if (f->stream.last >= 0) {
        text_appendf(path, "%ssince=%lld", mark, (long long)f->stream.last);
        mark = "&";
    }
    if (o->count > 1) {
        text_appendf(path, "%sservice=", mark);
        path_append(path, o->words[1]);
    }
}

/* Whether to ask again; else *ret_status says how it ended. */
static bool is_passing(struct following *f, int result, const struct answer *answer,
                       const struct error *err, enum status *ret_status)
{
    bool known = f->stream.last >= 0 && (f->gone || result == 0 || result == -ECONNABORTED);

    if (result == -EPIPE)
        *ret_status = status_of_output(f->error);
    else if (interrupted())
        *ret_status = STATUS_INTERRUPTED;
    else if (result < 0 && !(known && status_of_failure(err) == STATUS_UNREACHABLE))
        *ret_status = status_of_failure(err);
    else if (result == 0 && answer->http != 200 && !(f->gone && answer->http == 503))
        *ret_status = status_of_answer(answer);
    else
        return true;
    return false;
}

static void complain_of_end(const struct following *f, int result, const struct answer *answer,
                            const struct error *err)
{
    if (result < 0 && result != -EPIPE)
        complain_of_failure(err);
    else if (result == 0)
        complain_of_answer(f->cli, answer);
}

/* One answer, from its beginning to its end; false: it was the last. */
static bool follow(struct following *f, enum status *ret_status)
{
    struct text path = {0};
    struct answer answer = {0};
    struct error err = {0};
    bool again;
    int result;

    build_path(f, &path);
    result = path.failed ? error_set(&err, -ENOMEM, "%m")
                         : client_stream(f->cli->client, path.data, take, f, &answer, &err);
    text_deinit(&path);
    event_stream_cut(&f->stream);
    again = is_passing(f, result, &answer, &err, ret_status);
    if (!again && *ret_status != STATUS_INTERRUPTED)
        complain_of_end(f, result, &answer, &err);
    if (again && !f->gone)
        complain("orderlyd has ended the stream; waiting for it to come back");
    f->gone = again;
    answer_deinit(&answer);
    return again;
}

enum status cmd_events(struct cli *cli)
{
    const struct options *o = &cli->options;
    struct following f = {.cli = cli};
    enum status status;

    if (o->count > 1 && !check_name(o->words[1]))
        return STATUS_UNKNOWN;
    status = ask_open(cli);
    if (status != STATUS_DONE)
        return status;
    event_stream_init(&f.stream, show, &f);
    if (option_given(o, OPTION_SINCE))
        f.stream.last = f.stream.next = o->since;
    while (follow(&f, &status))
        if (!pause_us(RETRY_US)) {
            status = STATUS_INTERRUPTED;
            break;
        }
    event_stream_deinit(&f.stream);
    return status;
}
