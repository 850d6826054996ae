/* GET /events: what has happened since an id, and then what happens. */
#include "base/units.h"
#include "event_source.h"
#include "exchange.h"
#include "follower.h"
#include "routes.h"
#include "server.h"

#include <microhttpd.h>

#define LAST_EVENT_ID "Last-Event-ID"

/* Where to begin. The header counts more: a browser that comes back asks with the address that it
 * asked with at first, and this header. */
static bool find_beginning(struct exchange *x, int64_t *ret_after)
{
    const char *header = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, LAST_EVENT_ID);
    int64_t last = supervisor_last_event(x->http->supervisor), after = last;

    if (x->query.given & PARAMETER_SINCE_EVENT)
        after = x->query.since_event;
    if (header && (units_parse_int(header, &after) < 0 || after < 0)) {
        exchange_problem(
            x, PROBLEM_BAD_PARAMETER,
            LAST_EVENT_ID " must be the id of an event, a number from 0, not \"%.64s\"", header);
        return false;
    }
    /* one that never was, or of a history that is lost: what is new */
    *ret_after = after < last ? after : last;
    return true;
}

void route_events(struct exchange *x)
{
    struct supervisor *supervisor = x->http->supervisor;
    const char *service = x->query.given & PARAMETER_SERVICE ? x->query.service : NULL;
    struct source *source;
    int64_t after;

    if (service && !supervisor_service_known(supervisor, service)) {
        answer_unknown_service(x, service);
        return;
    }
    if (!find_beginning(x, &after) || !exchange_take_place(x))
        return;
    source = event_source_new(supervisor, after, service);
    exchange_respond(x, MHD_HTTP_OK, source ? follower_start(x, source) : NULL);
    exchange_header(x, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
    exchange_header(x, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    exchange_header(x, "X-Content-Type-Options", "nosniff");
}
