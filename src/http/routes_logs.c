/* GET /logs/<service>. Names come near the file system only through the logs' own calls, and only
 * those of known services. */
#include "exchange.h"
#include "follower.h"
#include "logs/logs.h"
#include "routes.h"
#include "server.h"

#include <errno.h>
#include <microhttpd.h>

static void answer_stream(struct exchange *x, struct MHD_Response *response)
{
    exchange_respond(x, MHD_HTTP_OK, response);
    exchange_header(x, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
    exchange_header(x, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    exchange_header(x, "X-Content-Type-Options", "nosniff");
}

void route_logs(struct exchange *x)
{
    struct supervisor *supervisor = x->http->supervisor;
    struct log_reader *reader = NULL;
    struct error err = {0};
    int result;

    if (!supervisor_service_known(supervisor, x->argument)) {
        answer_unknown_service(x, x->argument);
        return;
    }
    if (x->query.follow && !exchange_take_place(x))
        return;
    result = log_reader_open(supervisor_logs(supervisor), x->argument, (size_t)x->query.lines,
                             &reader, &err);
    if (result == 0)
        answer_stream(x, follower_start(x, reader, (size_t)x->query.lines, x->query.follow));
    else if (result == -ENOENT && !x->query.follow)
        answer_stream(x, MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT));
    else if (result == -ENOENT)
        exchange_problem(x, PROBLEM_NOT_FOUND, "\"%s\" has no log yet that could be followed",
                         x->argument);
    else
        exchange_problem(x, PROBLEM_NOT_FOUND, "the log of \"%s\" cannot be read: %s", x->argument,
                         err.text);
}
