/* controllers - the controllers of cgroup version 2 for the groups of services. `parent` is the
 * folder of those groups; a controller has to be enabled in it and in the group that it lies in,
 * and the kernel enables none in a group that holds processes. So a daemon that sits right there
 * moves into a group beside parent, if nobody else does.
 * Threads: any. Ownership: nothing is kept. */
#pragma once

#include "base/error.h"

#include <stdbool.h>

/* 0: services there have it, or controller_enable() would give it to them; else err says what is
 * missing, and what would help. */
int controller_check(const char *parent, const char *name, struct error *err);
int controller_enable(const char *parent, const char *name, struct error *err);
/* Once parent has gone: goes back to where the daemon was, if it has moved. */
void controllers_leave(const char *parent);
/* The end of the name of the group that the daemon moves to: the rest is the parent's. */
#define DAEMON_GROUP_SUFFIX ".daemon"
