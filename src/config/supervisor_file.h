/* supervisor_file - supervisor.conf as far as it can be read.
 * Threads: any. Ownership: config_free(). */
#pragma once

#include "config/config.h"

/* As config_load(), but what is there is given even when some of it is wrong: good for looking at
 * more, not for running. NULL: there is nothing. */
struct config *config_read(const char *path, struct problems *problems, bool *ret_good);
