/* scope - where services run when the daemon is itself a service of systemd's: in a scope beside
 * its unit, with a control group that is delegated to it. Groups below the unit's own would keep it
 * from being started again while services are left running, once controllers are enabled there.
 *
 * NAME.service has NAME-services.scope. systemd stops the unit before the scope, so that at the end
 * of the host the daemon can stop its services in order. A process that does nothing, the keeper,
 * keeps the scope alive between daemons and while no service runs.
 *
 * Threads: any, one at a time. Ownership: nothing is kept; the scope outlives the daemon. */
#pragma once

#include "base/error.h"

/* Finds the scope or has it made, before the backend is opened: that finds it in the file system.
 * Takes some seconds at most. 1: it is there; 0: nothing is to be done, for we are not a service of
 * the system's manager, or not root; -errno. */
int scope_open(const char *executor, struct error *err);
/* After the backend was closed: when no group of a service is left in it, the scope ends. */
void scope_close(void);
