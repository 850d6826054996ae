/* log_watch - the write-ahead log: written back into the database now and then, and watched, for a
 * reader that stands still keeps all that comes after it in the log.
 * Threads: whoever leads. Ownership: it lies in the store. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct log_watch {
    int64_t limit; /* bytes, above which it is told of */
    int frames;    /* in the log, as of the last commit */
    int next;      /* frames at which it is written back next; 0: there is none yet */
    bool large;
    char
        trouble[128]; /* why it could not be written back; "": it could, or nobody was in the way */
    int64_t check_at; /* when log_watch_check() is due; CLOCK_NEVER: nothing is to be checked */
};

/* Takes the place of SQLite's own automatic checkpoints. */
void log_watch_attach(struct log_watch *watch, sqlite3 *db);
/* After each commit. */
void log_watch_note(struct log_watch *watch);
/* Whether it is to be written back: that waits for the disk, twice. */
bool log_watch_due(const struct log_watch *watch);
void log_watch_tend(struct log_watch *watch, sqlite3 *db);
/* Cuts the log to nothing if nobody is in the way any more. */
void log_watch_check(struct log_watch *watch, sqlite3 *db);
/* Whether there is something to tell; text must hold 256. */
bool log_watch_warning(const struct log_watch *watch, char text[static 256]);
