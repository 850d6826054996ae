/* PUT /goal/<service>: an operation, but only when the service is not there or on its way. */
#include "asking.h"
#include "exchange.h"
#include "routes.h"

void route_goal(struct exchange *x)
{
    struct request_item item = {
        .service = x->argument,
        .action = x->query.goal == GOAL_UP ? ACTION_START : ACTION_STOP,
        .timeout_us = x->query.timeout,
    };

    if (x->query.given & PARAMETER_GOAL)
        ask(x, &item, 1, ASKED_IF_NEEDED);
    else
        exchange_problem(x, PROBLEM_BAD_PARAMETER, "which goal? as {\"goal\": \"up\"} or \"down\"");
}
