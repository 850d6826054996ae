/* database - state.db on disk: made, checked, migrated, set aside when it is corrupt.
 * Threads: at open only. Ownership: the caller closes the connection. */
#pragma once

#include "base/error.h"

#include <sqlite3.h>
#include <stdbool.h>

/* The writer's connection to a sound database of this program's version. A corrupt file is renamed
 * to PATH.corrupt-<time> with its -wal and -shm, and a new one made: *ret_set_aside is true. */
int database_open(const char *path, bool durability_full, sqlite3 **ret_db, bool *ret_set_aside,
                  struct error *err);
