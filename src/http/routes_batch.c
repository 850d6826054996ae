/* POST /operations: many at once, accepted whole or not at all. */
#include "asking.h"
#include "batch.h"
#include "exchange.h"
#include "parameters.h"
#include "router.h"
#include "routes.h"

void route_batch(struct exchange *x)
{
    struct batch batch;
    struct error err = {0};
    enum problem_code code;

    if (x->body.len == 0) {
        exchange_problem(x, PROBLEM_BAD_BODY,
                         "which operations? as {\"operations\": [{\"action\": \"restart\", "
                         "\"service\": \"web*\"}]}");
        return;
    }
    if (batch_parse(x->body.data, x->body.len, x->route->parameters, &x->query, &batch, &code,
                    &err) < 0) {
        refuse_parameters(x, &err, code);
        return;
    }
    ask(x, batch.items, batch.count, ASKED_BATCH);
    batch_deinit(&batch);
}
