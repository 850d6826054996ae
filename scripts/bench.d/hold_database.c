/* hold_database - somebody who has a SQLite database open in a shell: "read" stands in a
 * transaction that has read, "write" in one that may write, so many ms at a time, with so many
 * between (0: one that stays).
 *
 * Says "ready" when it holds it for the first time; told to stop, prints how often it did.
 * Threads: one. */
#include "ending.h"
#include "measure.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die("%s: %s", sql, sqlite3_errmsg(db));
}

int main(int argc, char **argv)
{
    int64_t hold, pause;
    long count = 0;
    const char *begin;
    sqlite3 *db;
    bool over;

    if (argc != 5)
        die("usage: hold_database FILE read|write HOLD-MS PAUSE-MS");
    begin = strcmp(argv[2], "write") == 0 ? "BEGIN IMMEDIATE"
                                          : "BEGIN; SELECT COUNT(*) FROM operations";
    hold = number_of(argv[3]) * (NS_PER_SEC / 1000);
    pause = atol(argv[4]) * (NS_PER_SEC / 1000);
    ending_prepare();
    if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        die("open %s: %s", argv[1], sqlite3_errmsg(db));
    sqlite3_busy_timeout(db, PATIENCE_MS);
    do {
        run(db, begin);
        if (count++ == 0)
            ending_ready();
        do
            over = ending_within(hold);
        while (!over && pause == 0);
        run(db, "ROLLBACK");
        over = over || ending_within(pause);
    } while (!over);
    sqlite3_close(db);
    printf("count %ld\n", count);
    return 0;
}
