/* commits - the least that a journal costs: one row in one transaction, in WAL mode, synchronous
 * normal, again and again.
 *
 * Prints p50, p95 and rate; appends every sample to a file. Threads: one. */
#include "measure.h"

#include <sqlite3.h>
#include <stdio.h>

#define WARM_UP 5 /* not counted: caches */

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die("%s: %s", sql, sqlite3_errmsg(db));
}

static void insert(sqlite3_stmt *insertion)
{
    if (sqlite3_step(insertion) != SQLITE_DONE || sqlite3_reset(insertion) != SQLITE_OK)
        die("insert: %s", sqlite3_errmsg(sqlite3_db_handle(insertion)));
}

int main(int argc, char **argv)
{
    struct samples samples = {0};
    sqlite3_stmt *insertion;
    sqlite3 *db;
    int count;

    if (argc != 4)
        die("usage: commits COUNT SAMPLES-FILE DATABASE");
    count = number_of(argv[1]);
    if (sqlite3_open(argv[3], &db) != SQLITE_OK)
        die("open %s: %s", argv[3], sqlite3_errmsg(db));
    run(db, "PRAGMA journal_mode = WAL");
    run(db, "PRAGMA synchronous = NORMAL");
    run(db, "CREATE TABLE IF NOT EXISTS operations (id INTEGER PRIMARY KEY, record TEXT)");
    if (sqlite3_prepare_v2(db, "INSERT INTO operations (record) VALUES (hex(randomblob(64)))", -1,
                           &insertion, NULL) != SQLITE_OK)
        die("prepare: %s", sqlite3_errmsg(db));
    for (int i = 0; i < WARM_UP; i++)
        insert(insertion);
    for (int i = 0; i < count; i++) {
        int64_t begin = now_ns();

        insert(insertion);
        samples_add(&samples, now_ns() - begin);
    }
    sqlite3_finalize(insertion);
    sqlite3_close(db);
    samples_write(&samples, argv[2]);
    samples_print(&samples);
    samples_deinit(&samples);
    return 0;
}
