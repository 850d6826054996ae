/* load - what a new daemon finds: the operations that have not ended, and every service. */
#include "store.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "connection.h"
#include "records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOAD_BUSY_MS 5000

static int run_bound(sqlite3 *db, const char *sql, const char *text, int64_t number,
                     struct error *err)
{
    CLEANUP(statement_finalizep) sqlite3_stmt *statement = NULL;
    int result = connection_prepare(db, sql, &statement, err);

    if (result < 0)
        return result;
    sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(statement) > 1)
        sqlite3_bind_int64(statement, 2, number);
    result = statement_run(statement);
    return result == SQLITE_OK ? 0 : connection_error(db, result, err);
}

/* A new boot: what ran has died with the machine, what waited is no longer wanted. */
static int enter_boot(struct store *store, struct error *err)
{
    static const char interrupt[] =
        "UPDATE operations SET state = 'interrupted', finished_utc = ?2, waiting_for = NULL,"
        " detail = 'the machine was started anew'"
        " WHERE state IN ('queued', 'running') AND boot <> ?1";
    static const char note[] = "INSERT INTO meta (key, value) VALUES ('boot_id', ?1)"
                               " ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    int result = connection_execute(store->db, "BEGIN IMMEDIATE", err);

    if (result == 0)
        result = run_bound(store->db, interrupt, store->boot_id, clock_utc_us(), err);
    if (result == 0)
        result = run_bound(store->db, note, store->boot_id, 0, err);
    if (result == 0)
        result = connection_execute(store->db, "COMMIT", err);
    if (!sqlite3_get_autocommit(store->db))
        statement_run(store->statements[STORE_ROLLBACK]);
    return result;
}

static int load_operations(sqlite3 *db, struct journal_boot *boot, struct error *err)
{
    CLEANUP(statement_finalizep) sqlite3_stmt *rows = NULL;
    CLEANUP(statement_finalizep) sqlite3_stmt *lines = NULL;
    int result = connection_prepare(db,
                                    "SELECT " OPERATION_COLUMNS " FROM operations"
                                    " WHERE state IN ('queued', 'running') ORDER BY id",
                                    &rows, err);

    if (result == 0)
        result = connection_prepare(db, OUTPUT_LINES_SQL, &lines, err);
    if (result < 0)
        return result;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        struct operation *grown =
            reallocarray(boot->operations, boot->operation_count + 1, sizeof *grown);

        if (!grown)
            return error_set(err, -ENOMEM, "%m");
        boot->operations = grown;
        result = operation_read(rows, lines, &grown[boot->operation_count], err);
        if (result < 0)
            return result;
        boot->operation_count++;
    }
    return result == SQLITE_DONE ? 0 : connection_error(db, result, err);
}

static int load_services(sqlite3 *db, struct journal_boot *boot, struct error *err)
{
    CLEANUP(statement_finalizep) sqlite3_stmt *rows = NULL;
    int result = connection_prepare(db, "SELECT " SERVICE_COLUMNS " FROM services ORDER BY name",
                                    &rows, err);

    if (result < 0)
        return result;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        struct service_record *grown =
            reallocarray(boot->services, boot->service_count + 1, sizeof *grown);

        if (!grown)
            return error_set(err, -ENOMEM, "%m");
        boot->services = grown;
        result = service_read(rows, &grown[boot->service_count], err);
        if (result < 0)
            return result;
        boot->service_count++;
    }
    return result == SQLITE_DONE ? 0 : connection_error(db, result, err);
}

/* Nothing is written when the boot is the same: a full disk or a held lock then keeps no daemon
 * from taking over what runs. */
static int load(struct store *store, struct journal_boot *boot, struct error *err)
{
    CLEANUP(freep) char *last_boot = NULL;
    int result =
        connection_text(store->db, "SELECT value FROM meta WHERE key = 'boot_id'", &last_boot, err);

    if (result < 0)
        return result;
    boot->same_boot = last_boot && strcmp(last_boot, store->boot_id) == 0;
    boot->next_operation_id = store_highest(store) + 1;
    if (!boot->same_boot)
        result = enter_boot(store, err);
    if (result == 0)
        result = load_operations(store->db, boot, err);
    if (result == 0)
        result = load_services(store->db, boot, err);
    return result;
}

int store_load(struct store *store, struct journal_boot *ret_boot, struct error *err)
{
    struct journal_boot boot = {0};
    int result;

    sqlite3_busy_timeout(store->db, LOAD_BUSY_MS);
    result = load(store, &boot, err);
    sqlite3_busy_timeout(store->db, 0);
    if (result < 0) {
        error_prefix(err, "journal %s", sqlite3_db_filename(store->db, "main"));
        journal_boot_deinit(&boot);
        return result;
    }
    *ret_boot = boot;
    return 0;
}

void journal_boot_deinit(struct journal_boot *boot)
{
    for (size_t i = 0; i < boot->operation_count; i++)
        operation_deinit(&boot->operations[i]);
    free(boot->operations);
    free(boot->services);
    *boot = (struct journal_boot){0};
}
