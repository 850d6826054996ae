/* POST /start, /stop, /restart, /reload and /signal, each with a service. */
#include "asking.h"
#include "exchange.h"
#include "router.h"
#include "routes.h"

void route_operate(struct exchange *x)
{
    struct request_item item = {
        .service = x->argument,
        .action = x->route->action,
        .timeout_us = x->query.timeout,
        .signal = (int)x->query.signal,
    };

    if (item.action == ACTION_SIGNAL && item.signal == 0)
        exchange_problem(x, PROBLEM_BAD_PARAMETER,
                         "which signal? as POST /signal/%.128s?signal=HUP", x->argument);
    else
        ask(x, &item, 1, ASKED_ONE);
}
