#include "log_watch.h"

#include "base/clock.h"
#include "connection.h"

#include <stdio.h>

#define FRAME_SIZE  4120 /* a page and what the log says of it */
#define EVERY       1000 /* frames */
#define LIMIT       (INT64_C(64) << 20)
#define CHECK_EVERY (10 * USEC_PER_SEC)

static int on_commit(void *context, sqlite3 *db, const char *name, int frames)
{
    struct log_watch *watch = context;

    (void)db, (void)name;
    if (frames < watch->frames)
        watch->next = EVERY; /* it was begun from its start again */
    watch->frames = frames;
    return SQLITE_OK;
}

void log_watch_attach(struct log_watch *watch, sqlite3 *db)
{
    *watch = (struct log_watch){
        .limit = watch->limit ? watch->limit : LIMIT, .next = EVERY, .check_at = CLOCK_NEVER};
    sqlite3_wal_hook(db, on_commit, watch);
}

/* That somebody reads or writes is no trouble. */
static void write_back(struct log_watch *watch, sqlite3 *db, int mode)
{
    struct error err = {0};
    int frames = watch->frames;
    int result = FAULT_SQLITE(journal_checkpoint)
                     ?: sqlite3_wal_checkpoint_v2(db, NULL, mode, &frames, NULL);
    bool ok =
        result == SQLITE_OK || (result & 0xff) == SQLITE_BUSY || (result & 0xff) == SQLITE_LOCKED;

    if (!ok)
        connection_error(db, result, &err);
    snprintf(watch->trouble, sizeof watch->trouble, "%.127s", err.text);
    if (result == SQLITE_OK && mode == SQLITE_CHECKPOINT_TRUNCATE)
        watch->frames = 0;
    watch->next = watch->frames + EVERY;
}

void log_watch_note(struct log_watch *watch)
{
    watch->large = watch->frames * (int64_t)FRAME_SIZE > watch->limit;
    if (!watch->large && !watch->trouble[0])
        watch->check_at = CLOCK_NEVER;
    else if (watch->check_at == CLOCK_NEVER)
        watch->check_at = clock_mono_us() + CHECK_EVERY;
}

bool log_watch_due(const struct log_watch *watch)
{
    return watch->next > 0 && watch->frames >= watch->next;
}

void log_watch_tend(struct log_watch *watch, sqlite3 *db)
{
    write_back(watch, db, SQLITE_CHECKPOINT_PASSIVE);
    log_watch_note(watch);
}

void log_watch_check(struct log_watch *watch, sqlite3 *db)
{
    watch->check_at = CLOCK_NEVER;
    write_back(watch, db, SQLITE_CHECKPOINT_TRUNCATE);
    log_watch_note(watch);
}

bool log_watch_warning(const struct log_watch *watch, char text[static 256])
{
    if (watch->large)
        snprintf(text, 256,
                 "the log state.db-wal has grown beyond %lld MiB: another program has been reading "
                 "state.db for long and keeps it from being written back",
                 (long long)(watch->limit >> 20));
    else if (watch->trouble[0])
        snprintf(text, 256, "the log state.db-wal cannot be written back: %s", watch->trouble);
    else
        text[0] = '\0';
    return text[0] != '\0';
}
