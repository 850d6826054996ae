#include "schema.h"

#include "connection.h"

#include <errno.h>
#include <stdio.h>

/* migrations[n] leads from version n to n + 1; one that was released is never changed. Words are
 * stored as words and times as microseconds UTC, so that `sqlite3 state.db` tells the whole story;
 * the view shows the times as people read them.
 *
 * An index holds the rowid, which is the id: by (service) also means newest first of a service. */
static const char *const migrations[] = {
    "CREATE TABLE operations ("
    "  id INTEGER PRIMARY KEY,"
    "  service TEXT NOT NULL,"
    "  action TEXT NOT NULL,"
    "  state TEXT NOT NULL,"
    "  changed INTEGER NOT NULL,"
    "  origin TEXT NOT NULL,"
    "  requested_by TEXT NOT NULL,"
    "  accepted_utc INTEGER NOT NULL,"
    "  started_utc INTEGER,"
    "  finished_utc INTEGER,"
    "  timeout_us INTEGER NOT NULL,"
    "  waiting_for TEXT,"
    "  detail TEXT,"
    "  exit TEXT,"
    "  output TEXT,"
    "  started_mono INTEGER,"
    "  begin_generation INTEGER NOT NULL,"
    "  boot TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX operations_service ON operations (service);"
    "CREATE INDEX operations_state ON operations (state);"
    "CREATE TABLE services ("
    "  name TEXT PRIMARY KEY,"
    "  state TEXT NOT NULL,"
    "  goal TEXT NOT NULL,"
    "  generation INTEGER NOT NULL,"
    "  restarts INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;"
    "CREATE VIEW history AS SELECT id, service, action, state, changed, origin, requested_by,"
    "  strftime('%Y-%m-%dT%H:%M:%fZ', accepted_utc / 1e6, 'unixepoch') AS accepted,"
    "  strftime('%Y-%m-%dT%H:%M:%fZ', started_utc / 1e6, 'unixepoch') AS started,"
    "  strftime('%Y-%m-%dT%H:%M:%fZ', finished_utc / 1e6, 'unixepoch') AS finished,"
    "  round((finished_utc - started_utc) / 1e6, 3) AS seconds, exit, detail"
    "  FROM operations ORDER BY id DESC;",

    /* Most operations belong to no batch: its index holds only those that do. */
    "ALTER TABLE operations ADD COLUMN signal TEXT;"
    "ALTER TABLE operations ADD COLUMN reason TEXT;"
    "ALTER TABLE operations ADD COLUMN batch INTEGER;"
    "ALTER TABLE operations ADD COLUMN coalesced_into INTEGER;"
    "ALTER TABLE operations ADD COLUMN replaces INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX operations_batch ON operations (batch) WHERE batch IS NOT NULL;"
    "CREATE TABLE keys ("
    "  identity TEXT NOT NULL,"
    "  key TEXT NOT NULL,"
    "  request TEXT NOT NULL,"
    "  operation INTEGER NOT NULL,"
    "  batch INTEGER NOT NULL,"
    "  accepted_utc INTEGER NOT NULL,"
    "  PRIMARY KEY (identity, key)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX keys_accepted ON keys (accepted_utc);"
    "CREATE TABLE events ("
    "  first INTEGER PRIMARY KEY,"
    "  last INTEGER NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  text TEXT NOT NULL"
    ") STRICT;"
    "DROP VIEW history;"
    "CREATE VIEW history AS SELECT id, service, action, signal, state, changed, origin,"
    "  requested_by, reason, batch,"
    "  strftime('%Y-%m-%dT%H:%M:%fZ', accepted_utc / 1e6, 'unixepoch') AS accepted,"
    "  strftime('%Y-%m-%dT%H:%M:%fZ', started_utc / 1e6, 'unixepoch') AS started,"
    "  strftime('%Y-%m-%dT%H:%M:%fZ', finished_utc / 1e6, 'unixepoch') AS finished,"
    "  round((finished_utc - started_utc) / 1e6, 3) AS seconds, exit, detail"
    "  FROM operations ORDER BY id DESC;",
};
#define VERSION ((int64_t)(sizeof migrations / sizeof *migrations))

static int migrate_from(sqlite3 *db, int64_t version, struct error *err)
{
    char pragma[48];
    int result = connection_execute(db, "BEGIN IMMEDIATE", err);

    for (int64_t i = version; result == 0 && i < VERSION; i++)
        result = connection_execute(db, migrations[i], err);
    snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", (int)VERSION);
    if (result == 0)
        result = connection_execute(db, pragma, err);
    if (result == 0)
        result = connection_execute(db, "COMMIT", err);
    if (result < 0 && !sqlite3_get_autocommit(db))
        connection_execute(db, "ROLLBACK", NULL);
    return result;
}

static int read_version(sqlite3 *db, int64_t *ret_version, struct error *err)
{
    int result = connection_integer(db, "PRAGMA user_version", 0, ret_version, err);

    if (result == 0 && (*ret_version > VERSION || *ret_version < 0))
        return error_set(err, -ENOTSUP,
                         "it was written by a newer Orderly: its schema is version %lld, this "
                         "program knows versions up to %lld",
                         (long long)*ret_version, (long long)VERSION);
    return result;
}

int schema_migrate(sqlite3 *db, struct error *err)
{
    int64_t version;
    int result = read_version(db, &version, err);

    if (result < 0)
        return result;
    return version == VERSION ? 0 : migrate_from(db, version, err);
}

int schema_check(sqlite3 *db, struct error *err)
{
    int64_t version;
    int result = read_version(db, &version, err);

    if (result == 0 && version < VERSION)
        return error_set(err, -ENOTSUP,
                         "its schema is of the older version %lld and cannot be brought up to "
                         "version %lld now",
                         (long long)version, (long long)VERSION);
    return result;
}
