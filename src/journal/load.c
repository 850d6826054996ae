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

static int run_bound(sqlite3 *db, const char *sql, const char *text, int64_t number)
{
    CLEANUP(statement_finalizep) sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    if (result != SQLITE_OK)
        return result;
    sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(statement) > 1)
        sqlite3_bind_int64(statement, 2, number);
    return statement_run(statement);
}

/* A new boot: what ran has died with the machine, what waited is no longer wanted. */
int store_enter_boot(struct store *store)
{
    static const char interrupt[] =
        "UPDATE operations SET state = 'interrupted', finished_utc = ?2, waiting_for = NULL,"
        " detail = 'the machine was started anew'"
        " WHERE state IN ('queued', 'running') AND boot <> ?1";
    static const char note[] = "INSERT INTO meta (key, value) VALUES ('boot_id', ?1)"
                               " ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    int result = FAULT_SQLITE(journal_boot)
                     ?: run_bound(store->db, interrupt, store->boot_id, clock_utc_us());

    return result == SQLITE_OK ? run_bound(store->db, note, store->boot_id, 0) : result;
}

/* What cannot be written now is owed: the first transaction that works does it. */
static void enter_boot(struct store *store)
{
    struct list nothing;
    struct error why;

    list_init(&nothing);
    store->boot_pending = true;
    if (store->db)
        store_write(store, &nothing, &nothing, &why);
}

/* Of this boot only: what another left has ended, or is about to. */
static int load_operations(sqlite3 *db, const char *boot_id, struct journal_boot *boot,
                           struct error *err)
{
    CLEANUP(statement_finalizep) sqlite3_stmt *rows = NULL;
    CLEANUP(statement_finalizep) sqlite3_stmt *lines = NULL;
    int result = connection_prepare(db,
                                    "SELECT " OPERATION_COLUMNS " FROM operations"
                                    " WHERE state IN ('queued', 'running') AND boot = ?1"
                                    " ORDER BY id",
                                    &rows, err);

    if (result == 0)
        result = connection_prepare(db, OUTPUT_LINES_SQL, &lines, err);
    if (result < 0)
        return result;
    sqlite3_bind_text(rows, 1, boot_id, -1, SQLITE_STATIC);
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

/* Nothing is written when the boot is the same, and nothing must be when it is another: a full disk
 * or a held lock then keeps no daemon from taking over what runs. */
static int load(struct store *store, sqlite3 *db, struct journal_boot *boot, struct error *err)
{
    CLEANUP(freep) char *last_boot = NULL;
    int result = FAULT_SQLITE(journal_load);

    result =
        result == SQLITE_OK
            ? connection_text(db, "SELECT value FROM meta WHERE key = 'boot_id'", &last_boot, err)
            : connection_error(db, result, err);

    if (result < 0)
        return result;
    boot->same_boot = last_boot && strcmp(last_boot, store->boot_id) == 0;
    boot->next_operation_id = store_highest(store) + 1;
    if (!boot->same_boot)
        enter_boot(store);
    result = load_operations(db, store->boot_id, boot, err);
    if (result == 0)
        result = load_services(db, boot, err);
    if (result == 0)
        result = connection_integer(db, "SELECT last FROM events ORDER BY first DESC LIMIT 1", 0,
                                    &boot->last_event, err);
    return result;
}

int store_load(struct store *store, struct journal_boot *ret_boot, struct error *err)
{
    sqlite3 *db = store->db ? store->db : store->reading;
    struct journal_boot boot = {0};
    int result;

    sqlite3_busy_timeout(db, LOAD_BUSY_MS);
    result = load(store, db, &boot, err);
    sqlite3_busy_timeout(db, 0);
    if (result < 0) {
        error_prefix(err, "journal %s", store->place.path);
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
