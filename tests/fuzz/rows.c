/* The journal's rows, which sqlite3 and whoever has the file may have changed: a column a line, in
 * the order of the tables. What can be read can be written, and is read the same then; what can't
 * says why. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "connection.h"
#include "records.h"
#include "schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static sqlite3 *db;
static sqlite3_stmt *put_operation, *get_operation, *put_service, *get_service, *lines, *clear;

static sqlite3_stmt *prepare(const char *sql)
{
    sqlite3_stmt *statement = NULL;
    struct error err = {0};

    CHECK(connection_prepare(db, sql, &statement, &err) == 0, "%s: %s", sql, err.text);
    return statement;
}

static void open_database(void)
{
    struct error err = {0};

    CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    CHECK(schema_migrate(db, &err) == 0, "%s", err.text);
    put_operation = prepare(operation_put_sql);
    get_operation = prepare("SELECT " OPERATION_COLUMNS " FROM operations");
    put_service = prepare(service_put_sql);
    get_service = prepare("SELECT " SERVICE_COLUMNS " FROM services");
    lines = prepare(OUTPUT_LINES_SQL);
    clear = prepare("DELETE FROM operations");
}

/* A line is a column, "-" NULL, a number a number; SQLite turns it into what the table wants. */
static bool put_row(sqlite3_stmt *put, struct input *input)
{
    int result;

    for (int i = 1; i <= sqlite3_bind_parameter_count(put); i++) {
        const char *begin = input->at;
        CLEANUP(freep) char *line = input_line(input);
        size_t len = (size_t)(input->at - begin);

        if (len > 0 && begin[len - 1] == '\n')
            len--;
        if (strcmp(line, "-") != 0) /* with what stands behind a NUL */
            sqlite3_bind_text(put, i, begin, (int)len, SQLITE_TRANSIENT);
        else
            sqlite3_bind_null(put, i);
    }
    result = sqlite3_step(put);
    sqlite3_reset(put);
    sqlite3_clear_bindings(put);
    return result == SQLITE_DONE;
}

static void run(sqlite3_stmt *statement)
{
    CHECK(sqlite3_step(statement) == SQLITE_DONE, "%s", sqlite3_errmsg(db));
    sqlite3_reset(statement);
}

/* False: there is none, or it can't be read. */
static bool read_operation(struct operation *ret_operation, bool must)
{
    struct error err = {0};
    int result = -ENOENT;

    if (sqlite3_step(get_operation) == SQLITE_ROW)
        result = operation_read(get_operation, lines, ret_operation, &err);
    sqlite3_reset(get_operation);
    CHECK(result == 0 || !must, "%s", err.text);
    CHECK(result == 0 || result == -ENOENT || err.text[0], "%d", result);
    return result == 0;
}

static void check_same(const struct operation *a, const struct operation *b)
{
    CLEANUP(text_deinit) struct text first = {0};
    CLEANUP(text_deinit) struct text second = {0};

    operation_json(a, &first);
    operation_json(b, &second);
    CHECK(strcmp(first.data, second.data) == 0, "%s became %s", first.data, second.data);
    CHECK(a->started_mono == b->started_mono && a->begin_generation == b->begin_generation &&
              a->replaces == b->replaces,
          "what is not shown is another");
}

static void check_operation(struct input *input)
{
    struct operation op, again;

    run(clear);
    if (!put_row(put_operation, input) || !read_operation(&op, false))
        return;
    run(clear);
    CHECK(operation_bind(put_operation, &op, "boot-1") == SQLITE_OK, "it can't be bound");
    run(put_operation);
    sqlite3_clear_bindings(put_operation);
    CHECK(read_operation(&again, true), "it is gone");
    check_same(&op, &again);
    operation_deinit(&again);
    operation_deinit(&op);
}

static void check_service(struct input *input)
{
    struct service_record record = {0};
    struct error err = {0};

    CHECK(connection_execute(db, "DELETE FROM services", &err) == 0, "%s", err.text);
    if (!put_row(put_service, input))
        return;
    if (sqlite3_step(get_service) == SQLITE_ROW && service_read(get_service, &record, &err) == 0)
        CHECK(memchr(record.name, '\0', sizeof record.name), "a name without an end");
    sqlite3_reset(get_service);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = input_of(data, size);

    if (!db)
        open_database();
    check_operation(&input);
    check_service(&input);
    return 0;
}
