#include "store.h"

#include "base/cleanup.h"
#include "connection.h"
#include "database.h"
#include "group.h"
#include "records.h"
#include "retention.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNENDED "('queued', 'running')"

/* Ids grow with time, so the oldest are the first of the table; those that have not ended are
 * passed over. By age only the oldest are looked at: what ended later has a higher id, or waited
 * long, and is found by a later pass. */
static const char *const sql[STORE_STATEMENTS] = {
    [STORE_BEGIN] = "BEGIN IMMEDIATE",
    [STORE_COMMIT] = "COMMIT",
    [STORE_ROLLBACK] = "ROLLBACK",
    [STORE_PUT_OPERATION] = operation_put_sql,
    [STORE_PUT_SERVICE] = service_put_sql,
    [STORE_PROBE] = "INSERT INTO meta (key, value) VALUES ('probes', 1)"
                    " ON CONFLICT (key) DO UPDATE SET value = value + 1",
    [STORE_COUNT_ENDED] = "SELECT (SELECT count(*) FROM operations)"
                          " - (SELECT count(*) FROM operations WHERE state IN " UNENDED ")",
    [STORE_KEEP_HIGHEST] =
        "INSERT INTO meta (key, value)"
        " VALUES ('last_operation_id', (SELECT coalesce(max(id), 0) FROM operations))"
        " ON CONFLICT (key) DO UPDATE SET value = max(value, excluded.value)",
    [STORE_DELETE_OLDEST] = "DELETE FROM operations WHERE id IN"
                            " (SELECT id FROM operations NOT INDEXED WHERE state NOT IN " UNENDED
                            " ORDER BY id LIMIT ?1)",
    [STORE_DELETE_AGED] = "DELETE FROM operations WHERE id IN (SELECT id FROM"
                          " (SELECT id, finished_utc FROM operations NOT INDEXED"
                          " WHERE state NOT IN " UNENDED " ORDER BY id LIMIT ?1)"
                          " WHERE finished_utc < ?2)",
};

static const char highest_sql[] =
    "SELECT max((SELECT coalesce(max(id), 0) FROM operations),"
    " coalesce((SELECT value FROM meta WHERE key = 'last_operation_id'), 0))";

static int prepare(struct store *store, struct error *err)
{
    int64_t highest = 0;
    int result = connection_integer(store->db, highest_sql, 0, &highest, err);

    atomic_store(&store->highest, highest);
    for (size_t i = 0; result == 0 && i < STORE_STATEMENTS; i++)
        result = connection_prepare(store->db, sql[i], &store->statements[i], err);
    return result;
}

int store_open(struct store *store, const struct journal_config *config, bool *ret_set_aside,
               struct error *err)
{
    int result;

    *store = (struct store){.history_count = config->history_count,
                            .history_age_us = config->history_age_us};
    store->boot_id = strdup(config->boot_id);
    if (!store->boot_id)
        return error_set(err, -ENOMEM, "journal %s: %m", config->path);
    result = database_open(config->path, config->durability_full, &store->db, ret_set_aside, err);
    if (result == 0) {
        result = prepare(store, err);
        if (result < 0)
            error_prefix(err, "journal %s", config->path);
    }
    if (result < 0) {
        store_close(store);
        return result;
    }
    retention_catch_up(store);
    return 0;
}

void store_close(struct store *store)
{
    for (size_t i = 0; i < STORE_STATEMENTS; i++)
        sqlite3_finalize(store->statements[i]);
    sqlite3_close(store->db);
    free(store->boot_id);
}

static int put_operation(struct store *store, const struct operation *op)
{
    sqlite3_stmt *put = store->statements[STORE_PUT_OPERATION];
    int result = operation_bind(put, op, store->boot_id);

    if (result == SQLITE_OK)
        result = statement_run(put);
    if (result == SQLITE_OK && operation_ended(op))
        store->ended_since_prune++;
    return result;
}

static int put_service(struct store *store, const struct service_record *service)
{
    sqlite3_stmt *put = store->statements[STORE_PUT_SERVICE];
    int result = service_bind(put, service);

    return result == SQLITE_OK ? statement_run(put) : result;
}

static int put_group(struct store *store, const struct group *group, int64_t *highest)
{
    int result = SQLITE_OK;

    for (size_t i = 0; result == SQLITE_OK && i < group->count; i++) {
        const struct group_item *item = &group->items[i];

        if (item->has_operation) {
            result = put_operation(store, &item->operation);
            if (item->operation.id > *highest)
                *highest = item->operation.id;
        }
        if (result == SQLITE_OK && item->has_service)
            result = put_service(store, &item->service);
    }
    return result;
}

static int put_groups(struct store *store, const struct list *groups, int64_t *highest)
{
    int result = SQLITE_OK;

    list_for_each(link, groups)
    {
        result = put_group(store, list_entry(link, struct group, link), highest);
        if (result != SQLITE_OK)
            break;
    }
    return result;
}

int store_write(struct store *store, const struct list *groups, struct error *err)
{
    int64_t highest = store_highest(store);
    int result = statement_run(store->statements[STORE_BEGIN]);

    if (result == SQLITE_OK)
        result = list_empty(groups) ? statement_run(store->statements[STORE_PROBE])
                                    : put_groups(store, groups, &highest);
    if (result == SQLITE_OK && retention_due(store))
        result = retention_prune(store);
    if (result == SQLITE_OK)
        result = statement_run(store->statements[STORE_COMMIT]);
    if (result != SQLITE_OK) {
        result = connection_error(store->db, result, err);
        if (!sqlite3_get_autocommit(store->db)) /* some failures roll back by themselves */
            statement_run(store->statements[STORE_ROLLBACK]);
        return result;
    }
    atomic_store(&store->highest, highest);
    return 0;
}

int64_t store_highest(const struct store *store)
{
    return atomic_load(&store->highest);
}
