/* depend - whether a service's dependencies let its operation begin.
 *
 * A wait for a dependency is a wait for a state, never for another operation: so crossing requests
 * cannot lock each other up, and the graph has no cycles.
 * Threads: depend_check() belongs to the turn of the service that asks; what it reads of others is
 * their `view`, one atomic word. Ownership: it keeps references to the starts it has asked for. */
#pragma once

#include "service.h"

/* What others may see of a service, packed into service.view. */
struct view {
    enum service_state state;
    enum goal goal;
    bool busy; /* operations run or wait */
    bool removed;
    bool unit;
    bool stays; /* it is not stopped with the daemon */
};
unsigned view_pack(struct view view);
struct view view_of(const struct service *service);

enum depend_result { DEPEND_READY, DEPEND_WAIT, DEPEND_FAILED };

/* May this start or restart begin? Asks for starts of what is needed and down, once, unless it is a
 * recovery. On WAIT and FAILED *ret_text (the caller frees it; NULL without memory) names the
 * service that is waited for, or says what failed. */
enum depend_result depend_check(struct service *service, const struct op *op, char **ret_text);
/* Tells everybody whose wait may be over because of this service to look again: those that depend
 * on it, and during the shutdown those that it depends on. */
void depend_notify(struct service *service);
/* A stop at the daemon's shutdown waits until everything that depends on the service is down. */
enum depend_result depend_check_shutdown(struct service *service, char **ret_text);
/* The operation at the head is another one now: forgets what was asked for the last. */
void depend_forget(struct service *service);
