#include "journal/journal.h"

#include "base/cleanup.h"
#include "connection.h"
#include "group.h"
#include "readers.h"
#include "records.h"
#include "store.h"
#include "writer.h"

#include <errno.h>
#include <stdlib.h>

struct journal {
    struct store store;
    struct writer writer;
    struct readers readers;
};

int journal_open(const struct journal_config *config, struct journal **ret_journal,
                 bool *ret_set_aside, struct error *err)
{
    CLEANUP(freep) struct journal *journal = calloc(1, sizeof *journal);
    bool set_aside;
    int result;

    if (!journal)
        return error_set(err, -ENOMEM, "journal %s: %m", config->path);
    result = store_open(&journal->store, config, &set_aside, err);
    if (result < 0)
        return result;
    result = readers_init(&journal->readers, config->path, err);
    if (result < 0)
        goto close_store;
    result = writer_start(&journal->writer, &journal->store, err);
    if (result < 0)
        goto deinit_readers;
    *ret_set_aside = set_aside;
    *ret_journal = take(journal);
    return 0;
deinit_readers:
    readers_deinit(&journal->readers);
close_store:
    store_close(&journal->store);
    return result;
}

/* The writer's connection is the last to close: it then empties the log and removes it. */
void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    writer_stop(&journal->writer);
    readers_deinit(&journal->readers);
    store_close(&journal->store);
    free(journal);
}

int journal_submit(struct journal *journal, const struct journal_entry *entries, size_t count)
{
    struct group *group = group_new(entries, count);

    if (!group)
        return -ENOMEM;
    writer_submit(&journal->writer, group);
    return 0;
}

int journal_load(struct journal *journal, struct journal_boot *ret_boot, struct error *err)
{
    return store_load(&journal->store, ret_boot, err);
}

bool journal_writable(struct journal *journal, char text[static 256])
{
    return writer_writable(&journal->writer, text);
}

/* ---- reading ---- */

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

    if (result == 0)
        result = reader_statement(reader, READER_FIND, &rows, err);
    if (result < 0)
        return result;
    sqlite3_bind_int64(rows, 1, id);
    return read_all(reader, rows, ret_operations, ret_count, err);
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
    if (filter->service)
        return filter->state >= 0 ? READER_LIST_SERVICE_STATE : READER_LIST_SERVICE;
    return filter->state >= 0 ? READER_LIST_STATE : READER_LIST;
}

static int list(struct journal *journal, const struct journal_filter *filter,
                struct operation **ret_operations, size_t *ret_count, struct error *err)
{
    const char *state = name_of(&operation_state_names, filter->state);
    int64_t limit = filter->limit < INT64_MAX ? (int64_t)filter->limit : INT64_MAX;
    struct reader *reader;
    sqlite3_stmt *rows;
    int result = readers_mine(&journal->readers, &reader, err);

    if (result == 0)
        result = reader_statement(reader, list_statement(filter), &rows, err);
    if (result < 0)
        return result;
    sqlite3_bind_text(rows, 1, filter->service, -1, SQLITE_STATIC);
    sqlite3_bind_text(rows, 2, state, -1, SQLITE_STATIC);
    sqlite3_bind_int64(rows, 3, filter->before > 0 ? filter->before : INT64_MAX);
    sqlite3_bind_int64(rows, 4, limit);
    return read_all(reader, rows, ret_operations, ret_count, err);
}

int journal_list(struct journal *journal, const struct journal_filter *filter,
                 struct operation **ret_operations, size_t *ret_count, struct error *err)
{
    int result = list(journal, filter, ret_operations, ret_count, err);

    if (result < 0)
        error_prefix(err, "read the journal");
    return result;
}
