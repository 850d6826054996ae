#include "retention.h"

#include "journal_private.h"

#include "base/clock.h"
#include "connection.h"

/* Counting what ended reads a whole index: that is spread over as many operations as are kept, so
 * that it costs each about 1 us. Twice as many may go as came, so that it catches up. */
#define PRUNE_EVERY   256
#define PRUNE_SHARE   64
#define PRUNE_MOST    1024
#define CATCH_UP_MOST 64 /* transactions */

/* Counting events passes over all rows that are kept, up to a few milliseconds. */
#define EVENTS_EVERY 4096
#define EVENTS_MOST  4096 /* rows */

static bool operations_due(const struct store *store)
{
    return store->ended_since_prune >= PRUNE_EVERY + store->history_count / PRUNE_SHARE;
}

static bool events_due(const struct store *store)
{
    return store->events_since_prune >= EVENTS_EVERY;
}

bool retention_due(const struct store *store)
{
    return operations_due(store) || events_due(store);
}

static int count(struct store *store, enum store_statement which, int64_t *ret_count)
{
    sqlite3_stmt *statement = store->statements[which];

    if (sqlite3_step(statement) == SQLITE_ROW)
        *ret_count = sqlite3_column_int64(statement, 0);
    return sqlite3_reset(statement);
}

static int delete_old_keys(struct store *store, int64_t limit)
{
    sqlite3_stmt *statement = store->statements[STORE_DELETE_KEYS];

    sqlite3_bind_int64(statement, 1, limit);
    sqlite3_bind_int64(statement, 2, clock_utc_us() - JOURNAL_KEY_AGE);
    return statement_run(statement);
}

/* other: what the statement is bound to besides, if it has a second parameter. */
static int delete_some(struct store *store, enum store_statement which, int64_t limit,
                       int64_t other, int64_t *deleted)
{
    sqlite3_stmt *statement = store->statements[which];
    int result;

    sqlite3_bind_int64(statement, 1, limit);
    if (sqlite3_bind_parameter_count(statement) > 1)
        sqlite3_bind_int64(statement, 2, other);
    result = statement_run(statement);
    if (result == SQLITE_OK)
        *deleted += sqlite3_changes64(store->db);
    return result;
}

/* The highest id is noted before its row can go, so that ids are never given twice. */
static int prune_operations(struct store *store)
{
    int64_t most = PRUNE_MOST + store->history_count / (PRUNE_SHARE / 2);
    int64_t aged_before = clock_utc_us() - store->history_age_us;
    int64_t ended = 0, deleted = 0, excess;
    int result = count(store, STORE_COUNT_ENDED, &ended);

    if (result == SQLITE_OK)
        result = store_keep_highest(store);
    excess = store->history_count > 0 ? ended - store->history_count : 0;
    if (result == SQLITE_OK && excess > 0)
        result =
            delete_some(store, STORE_DELETE_OLDEST, excess < most ? excess : most, 0, &deleted);
    if (result == SQLITE_OK && store->history_age_us > 0)
        result = delete_some(store, STORE_DELETE_AGED, most, aged_before, &deleted);
    if (result == SQLITE_OK)
        result = delete_old_keys(store, most);
    if (result == SQLITE_OK && deleted < most)
        store->ended_since_prune = 0; /* else the next transaction goes on */
    return result;
}

static int prune_events(struct store *store)
{
    int64_t aged_before = clock_utc_us() - store->history_age_us;
    int64_t kept = 0, deleted = 0;
    int result = count(store, STORE_COUNT_EVENTS, &kept);

    if (result == SQLITE_OK && kept > JOURNAL_EVENTS)
        result =
            delete_some(store, STORE_DELETE_EVENTS, EVENTS_MOST, kept - JOURNAL_EVENTS, &deleted);

    if (result == SQLITE_OK && store->history_age_us > 0)
        result = delete_some(store, STORE_DELETE_AGED_EVENTS, EVENTS_MOST, aged_before, &deleted);
    if (result == SQLITE_OK && deleted < EVENTS_MOST)
        store->events_since_prune = 0;
    return result;
}

int retention_prune(struct store *store)
{
    int result = operations_due(store) ? prune_operations(store) : SQLITE_OK;

    return result == SQLITE_OK && events_due(store) ? prune_events(store) : result;
}

void retention_catch_up(struct store *store)
{
    int result = SQLITE_OK;

    store->ended_since_prune = store->events_since_prune = INT64_MAX / 2;
    for (int i = 0; result == SQLITE_OK && i < CATCH_UP_MOST && retention_due(store); i++) {
        result = statement_run(store->statements[STORE_BEGIN]);
        if (result == SQLITE_OK)
            result = retention_prune(store);
        if (result == SQLITE_OK)
            result = statement_run(store->statements[STORE_COMMIT]);
        if (!sqlite3_get_autocommit(store->db))
            statement_run(store->statements[STORE_ROLLBACK]);
    }
}

void journal_set_history(struct journal *journal, int64_t count, int64_t age_us)
{
    journal->store.history_count = count;
    journal->store.history_age_us = age_us;
}
