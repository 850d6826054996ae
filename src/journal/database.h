/* database - state.db on disk: made, checked, migrated, set aside when it is corrupt.
 * Threads: whoever leads, and the opener. Ownership: the caller closes the connection. */
#pragma once

#include "base/error.h"

#include <sqlite3.h>
#include <stdbool.h>

struct database_options {
    const char *path;
    bool durability_full;
    int busy_ms; /* how long to wait for a lock */
    bool check;  /* when a log is there: one that was left by a daemon that could not close */
};

/* The writer's connection to a sound database of this program's version. A corrupt file is renamed
 * to PATH.corrupt-<time> with its -wal and -shm, and a new one made: *ret_set_aside is true.
 * -EROFS: it may only be read. */
int database_open(const struct database_options *options, sqlite3 **ret_db, bool *ret_set_aside,
                  struct error *err);
