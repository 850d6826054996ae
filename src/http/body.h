/* body - the JSON object that a POST may carry: its members are the request's parameters.
 * Threads: none. */
#pragma once

#include "problem.h"
#include "query.h"

/* Takes the members into query. On -EINVAL *ret_code says which problem it is. */
int body_parse(const char *data, size_t len, unsigned allowed, struct query *query,
               enum problem_code *ret_code, struct error *err);
