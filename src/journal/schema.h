/* schema - the tables of state.db and the steps from each version of them to the next.
 * Threads: whoever opens. */
#pragma once

#include "base/error.h"

#include <sqlite3.h>

/* Brings the database to this program's version (PRAGMA user_version), in one transaction.
 * -ENOTSUP: it was written by a newer program; nothing is changed. */
int schema_migrate(sqlite3 *db, struct error *err);
/* Whether it has this program's version: 0 or -ENOTSUP. */
int schema_check(sqlite3 *db, struct error *err);
