#include "carry.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "connection.h"
#include "records.h"

#include <errno.h>

static const struct {
    const char *name, *columns;
} tables[] = {
    {"meta", "key, value"},    {"services", SERVICE_COLUMNS},
    {"keys", KEY_COLUMNS},     {"operations", OPERATION_COLUMNS ", boot"},
    {"events", EVENT_COLUMNS},
};

static int prepare_select(sqlite3 *from, size_t table, sqlite3_stmt **ret_rows, struct error *err)
{
    CLEANUP(freep) char *sql = NULL;

    if (asprintf(&sql, "SELECT %s FROM %s", tables[table].columns, tables[table].name) < 0) {
        sql = NULL;
        return error_set(err, -ENOMEM, "%m");
    }
    return connection_prepare(from, sql, ret_rows, err);
}

static int prepare_insert(sqlite3 *to, size_t table, int columns, sqlite3_stmt **ret_put,
                          struct error *err)
{
    CLEANUP(freep) char *sql = NULL;
    struct text t = {0};

    text_appendf(&t, "INSERT OR REPLACE INTO %s (%s) VALUES (", tables[table].name,
                 tables[table].columns);
    for (int i = 0; i < columns; i++)
        text_append(&t, i == 0 ? "?" : ", ?");
    text_append(&t, ")");
    sql = text_take(&t);
    return sql ? connection_prepare(to, sql, ret_put, err) : error_set(err, -ENOMEM, "%m");
}

static int copy_row(sqlite3_stmt *row, sqlite3_stmt *put)
{
    int result = SQLITE_OK;

    for (int i = 0; result == SQLITE_OK && i < sqlite3_column_count(row); i++)
        result = sqlite3_bind_value(put, i + 1, sqlite3_column_value(row, i));
    return result == SQLITE_OK ? statement_run(put) : result;
}

static int carry_table(sqlite3 *from, sqlite3 *to, size_t table, bool *lost, struct error *err)
{
    CLEANUP(statement_finalizep) sqlite3_stmt *rows = NULL;
    CLEANUP(statement_finalizep) sqlite3_stmt *put = NULL;
    int result = prepare_select(from, table, &rows, err);

    if (result < 0) {
        *lost = true;
        return 0;
    }
    result = prepare_insert(to, table, sqlite3_column_count(rows), &put, err);
    if (result < 0)
        return result;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        result = copy_row(rows, put);
        if (result != SQLITE_OK)
            return connection_error(to, result, err);
    }
    *lost = *lost || result != SQLITE_DONE;
    return 0;
}

int carry_over(sqlite3 *from, sqlite3 *to, bool *ret_lost, struct error *err)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof tables / sizeof *tables; i++)
        result = carry_table(from, to, i, ret_lost, err);
    return result;
}
