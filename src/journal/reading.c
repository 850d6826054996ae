/* Reading: each thread by its own connection, which sees what is committed. */
#include "journal_private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "connection.h"
#include "records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The rows of a statement that is bound, at most limit; they are the caller's, on failure too. */
static int read_rows(struct reader *reader, sqlite3_stmt *rows, struct operation **operations,
                     size_t *count, struct error *err)
{
    sqlite3_stmt *lines;
    size_t room = 0;
    int result = reader_statement(reader, READER_LINES, &lines, err);

    if (result < 0)
        return result;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        if (*count == room) {
            struct operation *grown =
                reallocarray(*operations, room = room ? 2 * room : 16, sizeof *grown);

            if (!grown)
                return error_set(err, -ENOMEM, "%m");
            *operations = grown;
        }
        result = operation_read(rows, lines, &(*operations)[*count], err);
        if (result < 0)
            return result;
        ++*count;
    }
    return result == SQLITE_DONE ? 0 : connection_error(reader->db, result, err);
}

/* Reads, and resets the statement whatever came of it. */
static int read_all(struct reader *reader, sqlite3_stmt *rows, struct operation **ret_operations,
                    size_t *ret_count, struct error *err)
{
    struct operation *operations = NULL;
    size_t count = 0;
    int result = read_rows(reader, rows, &operations, &count, err);

    sqlite3_reset(rows);
    sqlite3_clear_bindings(rows); /* the texts were lent */
    if (result < 0) {
        for (size_t i = 0; i < count; i++)
            operation_deinit(&operations[i]);
        free(operations);
        return result;
    }
    *ret_operations = operations;
    *ret_count = count;
    return 0;
}

static int find(struct journal *journal, int64_t id, struct operation **ret_operations,
                size_t *ret_count, struct error *err)
{
    struct reader *reader;
    sqlite3_stmt *rows;
    int result = readers_mine(&journal->readers, &reader, err);

    if (result < 0)
        return result;
    result = reader_statement(reader, READER_FIND, &rows, err);
    if (result == 0) {
        sqlite3_bind_int64(rows, 1, id);
        result = read_all(reader, rows, ret_operations, ret_count, err);
    }
    reader_done(reader);
    return result;
}

int journal_find(struct journal *journal, int64_t id, enum journal_find *ret_found,
                 struct operation *ret_operation, struct error *err)
{
    /* Asked before reading: an id up to it was committed by then, and is there or was pruned. */
    int64_t highest = store_highest(&journal->store);
    CLEANUP(freep) struct operation *operations = NULL;
    size_t count;
    int result = find(journal, id, &operations, &count, err);

    if (result < 0) {
        error_prefix(err, "read the journal");
        return result;
    }
    if (count > 0) {
        *ret_operation = operations[0];
        *ret_found = JOURNAL_FOUND;
    } else {
        *ret_found = id > 0 && id <= highest ? JOURNAL_PRUNED : JOURNAL_UNKNOWN;
    }
    return 0;
}

static enum reader_statement list_statement(const struct journal_filter *filter)
{
    if (filter->batch != 0)
        return READER_LIST_BATCH;
    if (filter->service)
        return filter->state >= 0 ? READER_LIST_SERVICE_STATE : READER_LIST_SERVICE;
    return filter->state >= 0 ? READER_LIST_STATE : READER_LIST;
}

static void bind_filter(sqlite3_stmt *rows, const struct journal_filter *filter)
{
    const char *state = filter->state >= 0 ? name_of(&operation_state_names, filter->state) : NULL;
    int64_t limit = filter->limit < INT64_MAX ? (int64_t)filter->limit : INT64_MAX;

    sqlite3_bind_text(rows, 1, filter->service, -1, SQLITE_STATIC);
    sqlite3_bind_text(rows, 2, state, -1, SQLITE_STATIC);
    sqlite3_bind_int64(rows, 3, filter->before > 0 ? filter->before : INT64_MAX);
    sqlite3_bind_int64(rows, 4, limit);
    if (filter->batch != 0)
        sqlite3_bind_int64(rows, 5, filter->batch);
}

static int list(struct journal *journal, const struct journal_filter *filter,
                struct operation **ret_operations, size_t *ret_count, struct error *err)
{
    struct reader *reader;
    sqlite3_stmt *rows;
    int result = readers_mine(&journal->readers, &reader, err);

    if (result < 0)
        return result;
    result = reader_statement(reader, list_statement(filter), &rows, err);
    if (result == 0) {
        bind_filter(rows, filter);
        result = read_all(reader, rows, ret_operations, ret_count, err);
    }
    reader_done(reader);
    return result;
}

int journal_list(struct journal *journal, const struct journal_filter *filter,
                 struct operation **ret_operations, size_t *ret_count, struct error *err)
{
    int result = list(journal, filter, ret_operations, ret_count, err);

    if (result < 0)
        error_prefix(err, "read the journal");
    return result;
}

/* ---- keys ---- */

static int read_key(sqlite3_stmt *row, struct journal_key_found *ret_key, struct error *err)
{
    const char *request = (const char *)sqlite3_column_text(row, 0);
    char *copy = strdup(request ? request : "");

    if (!copy)
        return error_set(err, -ENOMEM, "%m");
    *ret_key = (struct journal_key_found){.request = copy,
                                          .operation = sqlite3_column_int64(row, 1),
                                          .batch = sqlite3_column_int(row, 2) != 0};
    return 0;
}

/* The row of a statement that is bound, if there is one; resets it. */
static int read_key_row(struct reader *reader, sqlite3_stmt *row, bool *ret_found,
                        struct journal_key_found *ret_key, struct error *err)
{
    int step = sqlite3_step(row);
    int result = 0;

    if (step == SQLITE_ROW)
        result = read_key(row, ret_key, err);
    else if (step != SQLITE_DONE)
        result = connection_error(reader->db, step, err);
    sqlite3_reset(row);
    sqlite3_clear_bindings(row); /* the texts were lent */
    if (result == 0)
        *ret_found = step == SQLITE_ROW;
    return result;
}

static int find_key(struct journal *journal, const char *identity, const char *key, bool *ret_found,
                    struct journal_key_found *ret_key, struct error *err)
{
    struct reader *reader;
    sqlite3_stmt *row;
    int result = readers_mine(&journal->readers, &reader, err);

    if (result < 0)
        return result;
    result = reader_statement(reader, READER_FIND_KEY, &row, err);
    if (result == 0) {
        sqlite3_bind_text(row, 1, identity, -1, SQLITE_STATIC);
        sqlite3_bind_text(row, 2, key, -1, SQLITE_STATIC);
        sqlite3_bind_int64(row, 3, clock_utc_us() - JOURNAL_KEY_AGE);
        result = read_key_row(reader, row, ret_found, ret_key, err);
    }
    reader_done(reader);
    return result;
}

int journal_find_key(struct journal *journal, const char *identity, const char *key,
                     bool *ret_found, struct journal_key_found *ret_key, struct error *err)
{
    int result = find_key(journal, identity, key, ret_found, ret_key, err);

    if (result < 0)
        error_prefix(err, "read the journal");
    return result;
}

/* ---- events ---- */

static int give_row(sqlite3_stmt *rows, journal_row_visitor *row, void *context, bool *ret_more,
                    struct error *err)
{
    const char *text = (const char *)sqlite3_column_text(rows, 0);
    CLEANUP(freep) char *copy = strdup(text ? text : "");

    if (!copy)
        return error_set(err, -ENOMEM, "%m");
    *ret_more = row(context, copy);
    return 0;
}

static int give_rows(struct reader *reader, sqlite3_stmt *rows, journal_row_visitor *row,
                     void *context, struct error *err)
{
    int step = SQLITE_DONE, result = 0;
    bool more = true;

    while (result == 0 && more && (step = sqlite3_step(rows)) == SQLITE_ROW)
        result = give_row(rows, row, context, &more, err);
    if (result == 0 && more && step != SQLITE_DONE)
        result = connection_error(reader->db, step, err);
    sqlite3_reset(rows);
    return result;
}

static int read_events(struct journal *journal, int64_t after, journal_row_visitor *row,
                       void *context, struct error *err)
{
    struct reader *reader;
    sqlite3_stmt *rows;
    int result = readers_mine(&journal->readers, &reader, err);

    if (result < 0)
        return result;
    result = reader_statement(reader, READER_EVENTS, &rows, err);
    if (result == 0) {
        sqlite3_bind_int64(rows, 1, after);
        result = give_rows(reader, rows, row, context, err);
    }
    reader_done(reader);
    return result;
}

int journal_read_events(struct journal *journal, int64_t after, journal_row_visitor *row,
                        void *context, struct error *err)
{
    int result = read_events(journal, after, row, context, err);

    if (result < 0)
        error_prefix(err, "read the journal");
    return result;
}
