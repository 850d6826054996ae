/* GET /logs/<service> and POST /rotate/<service>. Names come near the file system only through the
 * logs' own calls, and only those of known services. */
#include "exchange.h"
#include "follower.h"
#include "log_source.h"
#include "logs/logs.h"
#include "routes.h"
#include "server.h"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>

static void answer_stream(struct exchange *x, struct MHD_Response *response)
{
    exchange_respond(x, MHD_HTTP_OK, response);
    exchange_header(x, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
    exchange_header(x, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    exchange_header(x, "X-Content-Type-Options", "nosniff");
}

/* Whether there is such a stream to read; else the problem is said. */
static bool check_stream(struct exchange *x, const struct service_spec *spec)
{
    if (x->query.stream != STREAM_STDERR || (spec->separate_stderr && !spec_is_unit(spec)))
        return true;
    if (spec_is_unit(spec))
        exchange_problem(x, PROBLEM_BAD_PARAMETER,
                         "\"%s\" is the unit %s, and systemd's journal does not keep its stderr "
                         "apart from its stdout; leave stream out to read both",
                         x->argument, spec->unit);
    else
        exchange_problem(x, PROBLEM_BAD_PARAMETER,
                         "the stderr of \"%s\" goes where its stdout goes; stderr = separate in "
                         "its [log] would keep it apart",
                         x->argument);
    return false;
}

/* Takes the reader. */
static void answer_log(struct exchange *x, struct log_reader *reader)
{
    struct source *source = log_source_new(reader, (size_t)x->query.lines, x->query.follow);

    answer_stream(x, source ? follower_start(x, source) : NULL);
}

static void answer_files(struct exchange *x)
{
    struct log_reader *reader = NULL;
    struct error err = {0};
    int result =
        log_reader_open(supervisor_logs(x->http->supervisor), x->argument,
                        (enum stream)x->query.stream, (size_t)x->query.lines, &reader, &err);

    if (result == 0)
        answer_log(x, reader);
    else if (result == -ENOENT && !x->query.follow)
        answer_stream(x, MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT));
    else if (result == -ENOENT)
        exchange_problem(x, PROBLEM_NOT_FOUND, "\"%s\" has no log yet that could be followed",
                         x->argument);
    else
        exchange_problem(x, PROBLEM_NOT_FOUND, "the log of \"%s\" cannot be read: %s", x->argument,
                         err.text);
}

static void answer_journal(struct exchange *x, const struct service_spec *spec)
{
    struct log_reader *reader = NULL;
    struct error err = {0};

    if (log_reader_open_unit(supervisor_logs(x->http->supervisor), spec, (size_t)x->query.lines,
                             x->query.follow, &reader, &err) == 0)
        answer_log(x, reader);
    else
        exchange_problem(x, PROBLEM_NOT_FOUND, "the log of \"%s\" (%s) cannot be read: %s",
                         x->argument, spec->unit, err.text);
}

static void answer_spec(struct exchange *x, const struct service_spec *spec)
{
    if (!check_stream(x, spec) || (x->query.follow && !exchange_take_place(x)))
        return;
    if (spec_is_unit(spec))
        answer_journal(x, spec);
    else
        answer_files(x);
}

void route_logs(struct exchange *x)
{
    struct service_status *status = supervisor_service_status(x->http->supervisor, x->argument);

    if (status)
        answer_spec(x, status->spec);
    else
        answer_unknown_service(x, x->argument);
    status_free(status);
}

/* ---- rotation ---- */

static const char *why_not_rotated(int result, char *text, size_t size)
{
    switch (result) {
    case -ENODATA: return "there is nothing in it";
    case -EMEDIUMTYPE: return "its log is systemd's journal";
    case -EBUSY: return "its last line has no end yet; the new file begins when it has";
    default: return strerror_r(-result, text, size);
    }
}

/* Where there was nothing to set aside all is as it was asked for. */
static void answer_rotated(struct exchange *x)
{
    bool fine = x->rotation == 0 || x->rotation == -ENODATA || x->rotation == -EMEDIUMTYPE;
    struct text body = {0};
    char text[128];

    text_append(&body, "{\"service\":");
    text_json_string(&body, x->argument);
    text_appendf(&body, ",\"rotated\":%s", x->rotation == 0 ? "true" : "false");
    if (x->rotation != 0) {
        text_append(&body, ",\"detail\":");
        text_json_string(&body, why_not_rotated(x->rotation, text, sizeof text));
    }
    text_append(&body, "}");
    exchange_answer(x, fine ? MHD_HTTP_OK : MHD_HTTP_CONFLICT, &body);
}

static void take_result(void *context, int result)
{
    struct exchange *x = context;

    x->rotation = result;
    exchange_arrived(x);
}

static void rotate(struct exchange *x)
{
    int result;

    if (!exchange_expect(x, answer_rotated)) {
        exchange_problem(x, PROBLEM_CLOSING, "the daemon is shutting down");
        return;
    }
    result = logs_rotate(supervisor_logs(x->http->supervisor), x->argument, take_result, x);
    if (result < 0) /* it will not call */
        take_result(x, result);
}

void route_rotate(struct exchange *x)
{
    struct service_status *status = supervisor_service_status(x->http->supervisor, x->argument);
    bool known = status != NULL, unit = known && spec_is_unit(status->spec);

    status_free(status);
    if (!known) {
        answer_unknown_service(x, x->argument);
    } else if (unit) {
        x->rotation = -EMEDIUMTYPE;
        answer_rotated(x);
    } else {
        rotate(x);
    }
}
