/* batch - the body of POST /operations: {"operations":[{"action","service","timeout","signal"},…]}
 * and, beside them, the parameters of the request.
 * Threads: none. Ownership: batch_deinit(); the items' texts live as long as the batch. */
#pragma once

#include "problem.h"
#include "query.h"

struct json_t;

struct batch {
    struct request_item *items;
    size_t count;
    struct json_t *root;
};

/* On -EINVAL *ret_code says which problem it is; there is nothing to deinit after an error. An
 * item without a timeout of its own has the request's. */
int batch_parse(const char *data, size_t len, unsigned allowed, struct query *query,
                struct batch *ret_batch, enum problem_code *ret_code, struct error *err);
void batch_deinit(struct batch *batch);
