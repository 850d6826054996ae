#include "retention.h"

#include "base/clock.h"
#include "connection.h"

/* Counting what ended reads a whole index: that is spread over as many operations as are kept, so
 * that it costs each about 1 us. Twice as many may go as came, so that it catches up. */
#define PRUNE_EVERY   256
#define PRUNE_SHARE   64
#define PRUNE_MOST    1024
#define CATCH_UP_MOST 64 /* transactions */

bool retention_due(const struct store *store)
{
    return store->ended_since_prune >= PRUNE_EVERY + store->history_count / PRUNE_SHARE;
}

static int count_ended(struct store *store, int64_t *ret_count)
{
    sqlite3_stmt *count = store->statements[STORE_COUNT_ENDED];

    if (sqlite3_step(count) == SQLITE_ROW)
        *ret_count = sqlite3_column_int64(count, 0);
    return sqlite3_reset(count);
}

static int delete_some(struct store *store, enum store_statement which, int64_t limit,
                       int64_t before_utc, int64_t *deleted)
{
    sqlite3_stmt *statement = store->statements[which];
    int result;

    sqlite3_bind_int64(statement, 1, limit);
    if (which == STORE_DELETE_AGED)
        sqlite3_bind_int64(statement, 2, before_utc);
    result = statement_run(statement);
    if (result == SQLITE_OK)
        *deleted += sqlite3_changes64(store->db);
    return result;
}

/* The highest id is noted before its row can go, so that ids are never given twice. */
int retention_prune(struct store *store)
{
    int64_t most = PRUNE_MOST + store->history_count / (PRUNE_SHARE / 2);
    int64_t aged_before = clock_utc_us() - store->history_age_us;
    int64_t ended = 0, deleted = 0, excess;
    int result = count_ended(store, &ended);

    if (result == SQLITE_OK)
        result = statement_run(store->statements[STORE_KEEP_HIGHEST]);
    excess = store->history_count > 0 ? ended - store->history_count : 0;
    if (result == SQLITE_OK && excess > 0)
        result =
            delete_some(store, STORE_DELETE_OLDEST, excess < most ? excess : most, 0, &deleted);
    if (result == SQLITE_OK && store->history_age_us > 0)
        result = delete_some(store, STORE_DELETE_AGED, most, aged_before, &deleted);
    if (result == SQLITE_OK && deleted < most)
        store->ended_since_prune = 0; /* else the next transaction goes on */
    return result;
}

void retention_catch_up(struct store *store)
{
    int result = SQLITE_OK;

    store->ended_since_prune = INT64_MAX / 2;
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
