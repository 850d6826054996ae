#include "records.h"

#include "base/cleanup.h"
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum operation_column {
    COLUMN_ID,
    COLUMN_SERVICE,
    COLUMN_ACTION,
    COLUMN_STATE,
    COLUMN_CHANGED,
    COLUMN_ORIGIN,
    COLUMN_REQUESTED_BY,
    COLUMN_ACCEPTED_UTC,
    COLUMN_STARTED_UTC,
    COLUMN_FINISHED_UTC,
    COLUMN_TIMEOUT_US,
    COLUMN_WAITING_FOR,
    COLUMN_DETAIL,
    COLUMN_EXIT,
    COLUMN_OUTPUT,
    COLUMN_STARTED_MONO,
    COLUMN_BEGIN_GENERATION,
    COLUMN_SIGNAL,
    COLUMN_REASON,
    COLUMN_BATCH,
    COLUMN_COALESCED_INTO,
    COLUMN_REPLACES,
    COLUMN_BOOT,
};

/* The service and the batch of an operation never change: left out, their indices are not touched
 * by an update. */
const char operation_put_sql[] =
    "INSERT INTO operations (" OPERATION_COLUMNS ", boot)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
    " ?19, ?20, ?21, ?22, ?23)"
    " ON CONFLICT (id) DO UPDATE SET action = ?3, state = ?4, changed = ?5, origin = ?6,"
    " requested_by = ?7, accepted_utc = ?8, started_utc = ?9, finished_utc = ?10,"
    " timeout_us = ?11, waiting_for = ?12, detail = ?13, exit = ?14, output = ?15,"
    " started_mono = ?16, begin_generation = ?17, signal = ?18, reason = ?19,"
    " coalesced_into = ?21, replaces = ?22, boot = ?23";

const char service_put_sql[] =
    "INSERT INTO services (" SERVICE_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5)"
    " ON CONFLICT (name) DO UPDATE SET state = ?2, goal = ?3, generation = ?4, restarts = ?5";

const char key_put_sql[] =
    "INSERT INTO keys (" KEY_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
    " ON CONFLICT (identity, key) DO UPDATE SET request = ?3, operation = ?4, batch = ?5,"
    " accepted_utc = ?6 WHERE accepted_utc < ?7";

const char events_put_sql[] =
    "INSERT OR REPLACE INTO events (" EVENT_COLUMNS ") VALUES (?1, ?2, ?3, ?4)";

/* ---- binding; parameters are numbered from 1, and a failure stays ---- */

struct binder {
    sqlite3_stmt *statement;
    int result;
};

static void bind_text(struct binder *b, int column, const char *text)
{
    if (b->result == SQLITE_OK)
        b->result = sqlite3_bind_text(b->statement, column + 1, text, -1, SQLITE_STATIC);
}

/* Takes text over. */
static void bind_own_text(struct binder *b, int column, char *text)
{
    if (b->result == SQLITE_OK && !text)
        b->result = SQLITE_NOMEM;
    if (b->result == SQLITE_OK)
        b->result = sqlite3_bind_text(b->statement, column + 1, text, -1, free);
    else
        free(text);
}

static void bind_integer(struct binder *b, int column, int64_t value)
{
    if (b->result == SQLITE_OK)
        b->result = sqlite3_bind_int64(b->statement, column + 1, value);
}

static void bind_null(struct binder *b, int column)
{
    if (b->result == SQLITE_OK)
        b->result = sqlite3_bind_null(b->statement, column + 1);
}

/* 0 is none: a time that has not come, an id that was never given. */
static void bind_optional(struct binder *b, int column, int64_t value)
{
    if (value == 0)
        bind_null(b, column);
    else
        bind_integer(b, column, value);
}

static void bind_signal(struct binder *b, int column, const struct operation *op)
{
    char name[16];

    if (op->action == ACTION_SIGNAL) {
        signal_name(op->signal, name);
        bind_own_text(b, column, strdup(name));
    } else {
        bind_null(b, column);
    }
}

static void bind_exit(struct binder *b, int column, struct exit_cause cause)
{
    struct text t = {0};
    char name[16];

    switch (cause.kind) {
    case EXIT_NONE: bind_null(b, column); return;
    case EXIT_CODE: text_appendf(&t, "code %d", cause.value); break;
    case EXIT_SIGNAL:
        signal_name(cause.value, name);
        text_appendf(&t, "signal %s", name);
        break;
    case EXIT_UNKNOWN: text_append(&t, "unknown"); break;
    }
    bind_own_text(b, column, text_take(&t));
}

static void bind_output(struct binder *b, int column, const struct string_list *output)
{
    struct text t = {0};

    if (output->count == 0) {
        bind_null(b, column);
        return;
    }
    for (size_t i = 0; i < output->count; i++) {
        text_append(&t, i == 0 ? "[" : ",");
        text_json_string(&t, output->items[i]);
    }
    text_append(&t, "]");
    bind_own_text(b, column, text_take(&t));
}

int operation_bind(sqlite3_stmt *put, const struct operation *op, const char *boot)
{
    struct binder b = {.statement = put, .result = SQLITE_OK};

    bind_integer(&b, COLUMN_ID, op->id);
    bind_text(&b, COLUMN_SERVICE, op->service);
    bind_text(&b, COLUMN_ACTION, action_name(op->action));
    bind_text(&b, COLUMN_STATE, operation_state_name(op->state));
    bind_integer(&b, COLUMN_CHANGED, op->changed);
    bind_text(&b, COLUMN_ORIGIN, name_of(&origin_names, (int)op->origin));
    bind_text(&b, COLUMN_REQUESTED_BY, op->requested_by);
    bind_integer(&b, COLUMN_ACCEPTED_UTC, op->accepted_utc);
    bind_optional(&b, COLUMN_STARTED_UTC, op->started_utc);
    bind_optional(&b, COLUMN_FINISHED_UTC, op->finished_utc);
    bind_integer(&b, COLUMN_TIMEOUT_US, op->timeout_us);
    bind_text(&b, COLUMN_WAITING_FOR, op->waiting_for);
    bind_text(&b, COLUMN_DETAIL, op->detail);
    bind_exit(&b, COLUMN_EXIT, op->exit);
    bind_output(&b, COLUMN_OUTPUT, &op->output);
    bind_optional(&b, COLUMN_STARTED_MONO, op->started_mono);
    bind_integer(&b, COLUMN_BEGIN_GENERATION, op->begin_generation);
    bind_signal(&b, COLUMN_SIGNAL, op);
    bind_text(&b, COLUMN_REASON, op->reason);
    bind_optional(&b, COLUMN_BATCH, op->batch);
    bind_optional(&b, COLUMN_COALESCED_INTO, op->coalesced_into);
    bind_integer(&b, COLUMN_REPLACES, op->replaces);
    bind_text(&b, COLUMN_BOOT, boot);
    return b.result;
}

int service_bind(sqlite3_stmt *put, const struct service_record *service)
{
    struct binder b = {.statement = put, .result = SQLITE_OK};

    bind_text(&b, 0, service->name);
    bind_text(&b, 1, service_state_name(service->standing.state));
    bind_text(&b, 2, name_of(&goal_names, (int)service->standing.goal));
    bind_integer(&b, 3, service->standing.generation);
    bind_integer(&b, 4, service->standing.restarts);
    return b.result;
}

int key_bind(sqlite3_stmt *put, const struct journal_key *key, int64_t now_utc)
{
    struct binder b = {.statement = put, .result = SQLITE_OK};

    bind_text(&b, 0, key->identity);
    bind_text(&b, 1, key->key);
    bind_text(&b, 2, key->request);
    bind_integer(&b, 3, key->operation);
    bind_integer(&b, 4, key->batch);
    bind_integer(&b, 5, now_utc);
    bind_integer(&b, 6, now_utc - JOURNAL_KEY_AGE);
    return b.result;
}

int events_bind(sqlite3_stmt *put, const struct journal_events *events)
{
    struct binder b = {.statement = put, .result = SQLITE_OK};

    bind_integer(&b, 0, events->first);
    bind_integer(&b, 1, events->last);
    bind_integer(&b, 2, events->at_utc);
    bind_text(&b, 3, events->text);
    return b.result;
}

/* ---- reading ---- */

/* NULL is "": no word and no name is empty, so it is refused where one is needed. */
static const char *column_text(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);

    return text ? text : "";
}

static int read_string(sqlite3_stmt *row, int column, char **ret_string, struct error *err)
{
    char *copy;

    if (sqlite3_column_type(row, column) == SQLITE_NULL)
        return 0;
    copy = strdup(column_text(row, column));
    if (!copy)
        return error_set(err, -ENOMEM, "%m");
    *ret_string = copy;
    return 0;
}

/* A word of a set; its number, or -EPROTO. */
static int read_word(sqlite3_stmt *row, int column, const struct name_set *set, struct error *err)
{
    int value = name_parse(set, column_text(row, column));

    if (value < 0)
        return error_set(err, -EPROTO, "\"%s\" is not a known %s", column_text(row, column),
                         sqlite3_column_name(row, column));
    return value;
}

/* Only what is a signal has one, and it always does. */
static int read_signal(sqlite3_stmt *row, struct operation *op, struct error *err)
{
    const char *word = column_text(row, COLUMN_SIGNAL);

    if (op->action != ACTION_SIGNAL)
        return 0;
    op->signal = signal_parse(word);
    return op->signal > 0 ? 0 : error_set(err, -EPROTO, "\"%s\" is not a known signal", word);
}

static int read_exit(const char *text, struct exit_cause *ret_cause, struct error *err)
{
    struct exit_cause cause = {.kind = EXIT_UNKNOWN};
    char name[16];

    if (sscanf(text, "code %d", &cause.value) == 1) {
        cause.kind = EXIT_CODE;
    } else if (sscanf(text, "signal %15s", name) == 1 && signal_parse(name) > 0) {
        cause.kind = EXIT_SIGNAL;
        cause.value = signal_parse(name);
    } else if (text[0] == '\0') {
        cause.kind = EXIT_NONE;
    } else if (strcmp(text, "unknown") != 0) {
        return error_set(err, -EPROTO, "\"%s\" is not a known exit", text);
    }
    *ret_cause = cause;
    return 0;
}

static int read_output(const char *json, sqlite3_stmt *lines, struct string_list *output,
                       struct error *err)
{
    sqlite3 *db = sqlite3_db_handle(lines);
    int result = sqlite3_bind_text(lines, 1, json, -1, SQLITE_STATIC);
    bool memory = true;

    while (result == SQLITE_OK && memory && (result = sqlite3_step(lines)) == SQLITE_ROW) {
        memory = string_list_add(output, column_text(lines, 0)) == 0;
        result = SQLITE_OK;
    }
    if (result != SQLITE_OK && result != SQLITE_DONE)
        connection_error(db, result, err);
    sqlite3_reset(lines);
    sqlite3_clear_bindings(lines); /* the row that holds the text goes on */
    if (!memory)
        return error_set(err, -ENOMEM, "%m");
    return result == SQLITE_OK || result == SQLITE_DONE ? 0 : -EPROTO;
}

static int read_words(sqlite3_stmt *row, struct operation *op, struct error *err)
{
    int action = read_word(row, COLUMN_ACTION, &action_names, err);
    int state = read_word(row, COLUMN_STATE, &operation_state_names, err);
    int origin = read_word(row, COLUMN_ORIGIN, &origin_names, err);

    if (action < 0 || state < 0 || origin < 0)
        return -EPROTO;
    op->action = (enum action)action;
    op->state = (enum operation_state)state;
    op->origin = (enum origin)origin;
    return read_signal(row, op, err);
}

static void read_plain(sqlite3_stmt *row, struct operation *op)
{
    op->id = sqlite3_column_int64(row, COLUMN_ID);
    snprintf(op->service, sizeof op->service, "%s", column_text(row, COLUMN_SERVICE));
    op->changed = sqlite3_column_int(row, COLUMN_CHANGED) != 0;
    snprintf(op->requested_by, sizeof op->requested_by, "%s",
             column_text(row, COLUMN_REQUESTED_BY));
    op->accepted_utc = sqlite3_column_int64(row, COLUMN_ACCEPTED_UTC);
    op->started_utc = sqlite3_column_int64(row, COLUMN_STARTED_UTC);
    op->finished_utc = sqlite3_column_int64(row, COLUMN_FINISHED_UTC);
    op->timeout_us = sqlite3_column_int64(row, COLUMN_TIMEOUT_US);
    op->started_mono = sqlite3_column_int64(row, COLUMN_STARTED_MONO);
    op->begin_generation = sqlite3_column_int64(row, COLUMN_BEGIN_GENERATION);
    op->batch = sqlite3_column_int64(row, COLUMN_BATCH);
    op->coalesced_into = sqlite3_column_int64(row, COLUMN_COALESCED_INTO);
    op->replaces = sqlite3_column_int(row, COLUMN_REPLACES) != 0;
    op->durable = true; /* it is read from where it was written */
}

int operation_read(sqlite3_stmt *row, sqlite3_stmt *lines, struct operation *ret_operation,
                   struct error *err)
{
    struct operation op = {0};
    int result = read_words(row, &op, err);

    read_plain(row, &op);
    if (result == 0)
        result = read_exit(column_text(row, COLUMN_EXIT), &op.exit, err);
    if (result == 0)
        result = read_string(row, COLUMN_WAITING_FOR, &op.waiting_for, err);
    if (result == 0)
        result = read_string(row, COLUMN_DETAIL, &op.detail, err);
    if (result == 0)
        result = read_string(row, COLUMN_REASON, &op.reason, err);
    if (result == 0 && sqlite3_column_type(row, COLUMN_OUTPUT) != SQLITE_NULL)
        result = read_output(column_text(row, COLUMN_OUTPUT), lines, &op.output, err);
    if (result < 0) {
        error_prefix(err, "operation %lld", (long long)op.id);
        operation_deinit(&op);
        return result;
    }
    *ret_operation = op;
    return 0;
}

int service_read(sqlite3_stmt *row, struct service_record *ret_service, struct error *err)
{
    struct service_record service = {0};
    int state = read_word(row, 1, &service_state_names, err);
    int goal = read_word(row, 2, &goal_names, err);

    snprintf(service.name, sizeof service.name, "%s", column_text(row, 0));
    if (state < 0 || goal < 0) {
        error_prefix(err, "service %s", service.name);
        return -EPROTO;
    }
    service.standing.state = (enum service_state)state;
    service.standing.goal = (enum goal)goal;
    service.standing.generation = sqlite3_column_int64(row, 3);
    service.standing.restarts = sqlite3_column_int64(row, 4);
    *ret_service = service;
    return 0;
}
