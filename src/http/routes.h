/* routes - what each route does: it answers, or asks the core and answers later.
 * Threads: the connection's. Each is called with an exchange that is authenticated, allowed, and
 * whose parameters are read. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct exchange;

/* routes_operate.c, routes_batch.c, routes_goal.c */
void route_operate(struct exchange *x);
void route_batch(struct exchange *x);
void route_goal(struct exchange *x);
/* routes_operations.c */
void route_list_operations(struct exchange *x);
void route_operation(struct exchange *x);
/* routes_cancel.c */
void route_cancel(struct exchange *x);
/* routes_status.c */
void route_status(struct exchange *x);
void route_service_status(struct exchange *x);
/* routes_logs.c */
void route_logs(struct exchange *x);
void route_rotate(struct exchange *x);
/* routes_events.c */
void route_events(struct exchange *x);
/* routes_daemon.c */
void route_healthz(struct exchange *x);
void route_readyz(struct exchange *x);
void route_version(struct exchange *x);
void route_reload(struct exchange *x);
void route_shutdown(struct exchange *x);
void route_upgrade(struct exchange *x);

/* routes_status.c; 404, or 409 when its file is refused. */
void answer_unknown_service(struct exchange *x, const char *name);
/* routes_operations.c; the number in the path; false: the problem is said. */
bool parse_operation_id(struct exchange *x, int64_t *ret_id);
