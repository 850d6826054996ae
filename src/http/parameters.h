/* parameters - what a request says beside its path: its query, its body, its Idempotency-Key.
 * Threads: the connection's. */
#pragma once

#include "base/error.h"
#include "problem.h"

#include <stdbool.h>

struct exchange;

/* Into x->query and x->key; a body of another form than parameters is left to the route. False: the
 * problem is said. */
bool parameters_read(struct exchange *x);
/* What could not be read, or the want of memory for it; false. */
bool refuse_parameters(struct exchange *x, const struct error *err, enum problem_code code);
