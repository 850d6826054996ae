/* connection - one connection to state.db, set up the way its use asks for, and SQLite's failures
 * as errors.
 * Threads: a connection has no mutex of its own; whoever holds it uses it alone.
 * Ownership: the opener closes. */
#pragma once

#include "base/error.h"
#include "base/fault.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdint.h>

enum connection_kind { CONNECTION_WRITER, CONNECTION_READER };

/* The file must be there. A reader waits 1 s for a lock, a writer not at all. */
int connection_open(const char *path, enum connection_kind kind, sqlite3 **ret_db,
                    struct error *err);
/* A reader on what may be all that is left to a daemon: the folder may be read-only. */
int connection_open_reader(const char *path, sqlite3 **ret_db, struct error *err);
void connection_closep(sqlite3 **db);
/* Closes and leaves the files as they are: no checkpoint, and no log that goes with the last. */
void connection_discardp(sqlite3 **db);
void statement_finalizep(sqlite3_stmt **statement);

/* A result of SQLite's in its own words and as -errno; -EBADMSG: the file is corrupt. */
int connection_error(sqlite3 *db, int result, struct error *err);
/* SQLite's own result for the error of a fault point. */
static inline int connection_fault(int error)
{
    switch (error) {
    case 0: return SQLITE_OK;
    case -EBUSY: return SQLITE_BUSY;
    case -ENOSPC: return SQLITE_FULL;
    case -EROFS: return SQLITE_READONLY;
    case -ENOMEM: return SQLITE_NOMEM;
    case -EBADMSG: return SQLITE_CORRUPT;
    default: return SQLITE_IOERR;
    }
}
#define FAULT_SQLITE(name) connection_fault(FAULT(name))

int connection_execute(sqlite3 *db, const char *sql, struct error *err);
/* Prepares a statement that is to be kept. */
int connection_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_statement,
                       struct error *err);
/* The first column of the only row; missing where there is no row. */
int connection_integer(sqlite3 *db, const char *sql, int64_t missing, int64_t *ret_value,
                       struct error *err);
/* The same for text, the caller's to free(); NULL where there is no row. */
int connection_text(sqlite3 *db, const char *sql, char **ret_text, struct error *err);

/* Steps a statement to its end, or to its first row, and resets it: SQLITE_OK or the failure. */
int statement_run(sqlite3_stmt *statement);
