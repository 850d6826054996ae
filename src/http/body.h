/* body - the JSON object that a request may carry: its members are the request's parameters.
 * Threads: none. */
#pragma once

#include "problem.h"
#include "query.h"

struct json_t;

/* Takes the members into query. On -EINVAL *ret_code says which problem it is. */
int body_parse(const char *data, size_t len, unsigned allowed, struct query *query,
               enum problem_code *ret_code, struct error *err);

/* ---- for bodies of another form ---- */

/* An object, without duplicate members, bounded in depth; json_decref() it. */
int body_load(const char *data, size_t len, struct json_t **ret_root, enum problem_code *ret_code,
              struct error *err);
/* One member as a parameter. */
int body_member(struct query *query, unsigned allowed, const char *name, const struct json_t *value,
                struct error *err);
