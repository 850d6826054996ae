/* advice - warnings of what a service's file says without effect, or unwisely.
 * Threads: any. */
#pragma once

#include "loading.h"

/* The file holds no error. */
void advise(struct loading *loading, const struct service_spec *spec, const struct config *config);
