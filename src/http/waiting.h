/* waiting - for the end of operations, one after the other, as long as a client wants to and is
 * there: what x->told holds is answered as it is then.
 * Threads: the connection's. */
#pragma once

#include "core/supervisor.h"

struct exchange;

/* Until all have ended, or for x->query.wait; the place must have been taken. */
void wait_for_ends(struct exchange *x);
/* As they are told; 202 says where to look again. */
void answer_told(struct exchange *x, unsigned status);
/* Brings one record up to date; false: the problem is said. */
bool refresh_told(struct exchange *x, size_t index);
void answer_not_found(struct exchange *x, enum find_result found, int64_t id,
                      const struct error *err);
