/* limits - what a service may use as a whole, kept by the controllers of its group.
 * Threads: any. Ownership: nothing is kept. */
#pragma once

#include "base/error.h"
#include "model/service_spec.h"

#include <stdbool.h>

enum limit { LIMIT_MEMORY, LIMIT_CPU, LIMIT_TASKS, LIMITS };

/* Whether there is, or could be, a controller for it; changes nothing. */
bool limits_possible(const char *parent, enum limit limit);
/* Whether its groups can be held to each limit that the spec sets; makes ready what that takes.
 * parent: the folder of its groups; NULL: there is none, and reason says why. */
int limits_prepare(const char *parent, const char *reason, const struct service_spec *spec,
                   struct error *err);
/* Into the files of a group that nothing is in yet. */
int limits_write(const char *group, const struct service_spec *spec, struct error *err);
