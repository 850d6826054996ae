#include "store.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "connection.h"
#include "database.h"
#include "records.h"
#include "retention.h"
#include "schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNENDED      "('queued', 'running')"
#define OPEN_BUSY_MS 5000
#define MANY         3 /* failures, after which another connection is tried */

/* Ids grow with time, so the oldest are the first of the table; those that have not ended are
 * passed over. By age only the oldest are looked at: what ended later has a higher id, or waited
 * long, and is found by a later pass. */
static const char *const sql[STORE_STATEMENTS] = {
    [STORE_BEGIN] = "BEGIN IMMEDIATE",
    [STORE_COMMIT] = "COMMIT",
    [STORE_ROLLBACK] = "ROLLBACK",
    [STORE_PUT_OPERATION] = operation_put_sql,
    [STORE_PUT_SERVICE] = service_put_sql,
    [STORE_PUT_KEY] = key_put_sql,
    [STORE_PUT_EVENTS] = events_put_sql,
    [STORE_PROBE] = "INSERT INTO meta (key, value) VALUES ('probes', 1)"
                    " ON CONFLICT (key) DO UPDATE SET value = value + 1",
    [STORE_COUNT_ENDED] = "SELECT (SELECT count(*) FROM operations)"
                          " - (SELECT count(*) FROM operations WHERE state IN " UNENDED ")",
    [STORE_KEEP_HIGHEST] = "INSERT INTO meta (key, value) VALUES ('last_operation_id',"
                           " max(?1, (SELECT coalesce(max(id), 0) FROM operations)))"
                           " ON CONFLICT (key) DO UPDATE SET value = max(value, excluded.value)",
    [STORE_DELETE_OLDEST] = "DELETE FROM operations WHERE id IN"
                            " (SELECT id FROM operations NOT INDEXED WHERE state NOT IN " UNENDED
                            " ORDER BY id LIMIT ?1)",
    [STORE_DELETE_AGED] = "DELETE FROM operations WHERE id IN (SELECT id FROM"
                          " (SELECT id, finished_utc FROM operations NOT INDEXED"
                          " WHERE state NOT IN " UNENDED " ORDER BY id LIMIT ?1)"
                          " WHERE finished_utc < ?2)",
    [STORE_DELETE_KEYS] = "DELETE FROM keys WHERE (identity, key) IN (SELECT identity, key"
                          " FROM keys WHERE accepted_utc < ?2 ORDER BY accepted_utc LIMIT ?1)",
    [STORE_COUNT_EVENTS] = "SELECT coalesce(sum(last - first + 1), 0) FROM events",
    /* Rows that hold no more than so many all together, from the oldest on. */
    [STORE_DELETE_EVENTS] = "DELETE FROM events WHERE first IN (SELECT first FROM"
                            " (SELECT first, sum(last - first + 1) OVER (ORDER BY first) AS held"
                            " FROM events ORDER BY first LIMIT ?1) WHERE held <= ?2)",
    /* The newest stays: what comes next must have a higher number. */
    [STORE_DELETE_AGED_EVENTS] = "DELETE FROM events WHERE first IN (SELECT first FROM"
                                 " (SELECT first, at FROM events ORDER BY first LIMIT ?1)"
                                 " WHERE at < ?2) AND first < (SELECT max(first) FROM events)",
};

static const char highest_sql[] =
    "SELECT max((SELECT coalesce(max(id), 0) FROM operations),"
    " coalesce((SELECT value FROM meta WHERE key = 'last_operation_id'), 0))";

static int read_highest(struct store *store, sqlite3 *db, struct error *err)
{
    int64_t highest = 0;
    int result = connection_integer(db, highest_sql, 0, &highest, err);

    if (highest > store_highest(store))
        atomic_store(&store->highest, highest);
    return result;
}

int store_prepare(struct store *store, struct error *err)
{
    int result = FAULT_SQLITE(journal_prepare);

    result = result == SQLITE_OK ? read_highest(store, store->db, err)
                                 : connection_error(store->db, result, err);
    for (size_t i = 0; result == 0 && i < STORE_STATEMENTS; i++)
        result = connection_prepare(store->db, sql[i], &store->statements[i], err);
    return result;
}

/* ---- opening and closing ---- */

static int open_writing(struct store *store, bool *ret_set_aside, struct error *err)
{
    const struct database_options options = {.path = store->place.path,
                                             .durability_full = store->durability_full,
                                             .busy_ms = OPEN_BUSY_MS,
                                             .check = true};
    int result = database_open(&options, &store->db, ret_set_aside, err);

    if (result == -ENOSPC && reserve_make(&store->reserve) && reserve_give_up(&store->reserve)) {
        store->full = true;
        result = database_open(&options, &store->db, ret_set_aside, err);
    }
    if (result < 0)
        return result;
    place_note(&store->place);
    log_watch_attach(&store->log, store->db);
    result = store_prepare(store, err);
    if (result == 0)
        retention_catch_up(store);
    opening_done(&store->opening, result == 0);
    return result;
}

/* A daemon that cannot write for the moment must still take over what runs. */
static int open_reading(struct store *store)
{
    struct error why = {0};
    int result = connection_open_reader(store->place.path, &store->reading, &why);

    if (result == 0)
        result = schema_check(store->reading, &why);
    if (result == 0)
        result = read_highest(store, store->reading, &why);
    if (result == 0)
        place_note(&store->place);
    return result;
}

static int open_either(struct store *store, bool *ret_set_aside, struct error *err)
{
    int result = open_writing(store, ret_set_aside, err);

    if (result == 0) {
        reserve_make(&store->reserve);
        return 0;
    }
    store_discard(store->db, store->statements);
    store->db = NULL;
    if (result == -ENOTSUP || result == -EBADMSG || result == -ENOMEM || open_reading(store) < 0)
        return error_prefix(err, "journal %s", store->place.path);
    store->trouble = *err;
    error_prefix(&store->trouble, "%s cannot be opened", store->place.name);
    *ret_set_aside = false;
    return 0;
}

int store_open(struct store *store, const struct journal_config *config, bool *ret_set_aside,
               struct error *err)
{
    int result;

    *store = (struct store){.history_count = config->history_count,
                            .history_age_us = config->history_age_us,
                            .durability_full = config->durability_full};
    opening_init(&store->opening);
    store->boot_id = strdup(config->boot_id);
    if (!store->boot_id)
        return error_set(err, -ENOMEM, "journal %s: %m", config->path);
    result = place_init(&store->place, config->path, err);
    if (result == 0)
        result = reserve_init(&store->reserve, config->path, err);
    if (result == 0)
        result = open_either(store, ret_set_aside, err);
    if (result < 0)
        store_close(store);
    return result;
}

void store_discard(sqlite3 *db, sqlite3_stmt *statements[static STORE_STATEMENTS])
{
    for (size_t i = 0; i < STORE_STATEMENTS; i++) {
        sqlite3_finalize(statements[i]);
        statements[i] = NULL;
    }
    connection_discardp(&db);
}

/* The last connection empties the log and removes it by its name: which may be another's now. */
void store_close(struct store *store)
{
    if (store->db && place_lost(&store->place))
        sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    for (size_t i = 0; i < STORE_STATEMENTS; i++)
        sqlite3_finalize(store->statements[i]);
    sqlite3_close(store->db);
    sqlite3_close(store->reading);
    reserve_deinit(&store->reserve);
    place_deinit(&store->place);
    opening_deinit(&store->opening);
    free(store->boot_id);
}

bool store_sound(const struct store *store)
{
    return store->db && !store->corrupt && store->failures < MANY && !place_lost(&store->place);
}

/* ---- what is known of it ---- */

bool store_warning(const struct store *store, char text[static 256])
{
    if (log_watch_warning(&store->log, text))
        return true;
    snprintf(text, 256, "%s", store->notice);
    return text[0] != '\0';
}

int64_t store_highest(const struct store *store)
{
    return atomic_load(&store->highest);
}

int store_keep_highest(struct store *store)
{
    sqlite3_stmt *keep = store->statements[STORE_KEEP_HIGHEST];

    sqlite3_bind_int64(keep, 1, store_highest(store));
    return statement_run(keep);
}
