/* graph - requires, wants and after over all services: who is named must be there, and nobody may
 * wait for himself.
 * Threads: none of its own. */
#pragma once

#include "service_file.h"

/* files are ordered by name. Reports to the files; one whose own file is refused is not unknown.
 * 0 or -ENOMEM. */
int graph_check(struct service_file *const files[], size_t count);
