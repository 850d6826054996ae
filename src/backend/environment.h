/* environment - what a service finds in its environment.
 * Threads: any; environment_inherit() reads environ. Ownership: lists are the caller's. */
#pragma once

#include "model/service_spec.h"

/* The daemon's own environment without what was meant for the daemon alone; HOME, USER and LOGNAME
 * of the daemon's user, and a PATH, in any case. */
int environment_inherit(struct string_list *ret_list);

/* inherited, the user's HOME and such, the spec's own, and ours, each key once. *ret_own: how many
 * of the last ones win over an environment file. marker and added are whole KEY=VALUE; added may be
 * NULL. 0 or -ENOMEM. */
int environment_build(const struct string_list *inherited, const struct service_spec *spec,
                      const char *marker, const char *added, struct string_list *ret_list,
                      size_t *ret_own);
