/* Going on with another connection: what stands at the path now, or a new file there. The file
 * before, removed or replaced, is still open: what can be read of it is carried over. */
#include "store.h"

#include "carry.h"
#include "connection.h"
#include "database.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* from NULL: nothing of the file before can be trusted. */
static int carry_all(sqlite3 *from, struct store *next, bool *ret_lost, struct error *err)
{
    int result = connection_execute(next->db, "BEGIN IMMEDIATE", err);

    if (result < 0)
        return result;
    if (from)
        result = carry_over(from, next->db, ret_lost, err);
    if (result == 0 && store_keep_highest(next) != SQLITE_OK)
        result = connection_error(next->db, sqlite3_extended_errcode(next->db), err);
    if (result == 0)
        result = connection_execute(next->db, "COMMIT", err);
    if (!sqlite3_get_autocommit(next->db))
        connection_execute(next->db, "ROLLBACK", NULL);
    return result;
}

/* Statements are prepared, and what was known is there, before the old connection is let go. */
static int open_next(struct store *store, struct store *next, bool *ret_set_aside, bool *ret_lost,
                     struct error *err)
{
    sqlite3 *before = store->db ? store->db : store->reading;
    bool lost = place_lost(&store->place), corrupt;
    const struct database_options options = {.path = store->place.path,
                                             .durability_full = store->durability_full,
                                             .check = lost || store->corrupt || !store->db};
    int result = lost ? place_make_folder(&store->place, err) : 0;

    if (!lost && store->reading) { /* the same file: what was opened read-only would stay so */
        sqlite3_close(store->reading);
        store->reading = before = NULL;
    }
    if (result == 0)
        result = database_open(&options, &next->db, ret_set_aside, err);
    atomic_store(&next->highest, store_highest(store));
    if (result == 0)
        result = store_prepare(next, err);
    corrupt = store->corrupt || (*ret_set_aside && !lost); /* the file before, not a new one */
    *ret_lost = lost && !before;
    if (result == 0 && (lost || *ret_set_aside))
        result = carry_all(corrupt ? NULL : before, next, ret_lost, err);
    return result;
}

static void take_over(struct store *store, struct store *next)
{
    store_discard(store->db, store->statements);
    sqlite3_close(store->reading);
    store->reading = NULL;
    store->db = next->db;
    memcpy(store->statements, next->statements, sizeof store->statements);
    atomic_store(&store->highest, store_highest(next));
    store->corrupt = false;
    store->failures = 0;
    place_note(&store->place);
    log_watch_attach(&store->log, store->db);
}

static void note_loss(struct store *store, bool set_aside, bool lost)
{
    if (set_aside)
        snprintf(store->notice, sizeof store->notice,
                 "%s was corrupt: it was set aside while the daemon ran, and a new one begun",
                 store->place.name);
    else if (lost)
        snprintf(store->notice, sizeof store->notice,
                 "%s was removed and could not be read any more: what it held is lost",
                 store->place.name);
}

int store_restore(struct store *store, struct error *err)
{
    struct store next = {0};
    bool gone = store->place.inode != 0 && place_lost(&store->place);
    bool set_aside = false, lost = false;
    int result;

    if (!opening_begin(&store->opening))
        return error_set(err, -EBUSY, "%s is just being read", store->place.name);
    result = open_next(store, &next, &set_aside, &lost, err);
    opening_done(&store->opening, result == 0);
    if (result < 0) {
        store_discard(next.db, next.statements);
        return error_prefix(
            err, gone ? "%s is gone and cannot be made again" : "%s cannot be opened again",
            store->place.name);
    }
    if (gone)
        store->reserve.state = RESERVE_NONE; /* it went the same way, or will be found */
    take_over(store, &next);
    note_loss(store, set_aside, lost);
    return 0;
}
