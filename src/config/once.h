/* once - no unit is driven by two services.
 * Threads: none of its own. */
#pragma once

#include "service_file.h"

/* files are ordered by name: all but the first that name the same unit of the same bus hear of it.
 * 0 or -ENOMEM. */
int once_check(const struct config *config, struct service_file *const files[], size_t count);
