/* identity - whom a service runs as: users and groups looked up at load, never at a start, because
 * a lookup may hang. The types `user`, `group` and `groups` of the table are here too.
 * Threads: any. */
#pragma once

#include "loading.h"

/* Puts what user, group and supplementary_groups said into the spec. Without being root nobody else
 * can be had: that is reported. */
void identity_settle(struct loading *loading, struct service_spec *spec);
