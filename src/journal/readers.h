/* readers - a read-only connection for each thread that reads, made when it first does and closed
 * when it ends.
 * Threads: readers_mine() for any; a reader is its thread's alone.
 * Ownership: readers_deinit() closes what is left, once no thread reads any more. */
#pragma once

#include "base/error.h"
#include "base/list.h"
#include "base/lock.h"
#include "opening.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>

extern struct lock_class readers_lock_class;

struct readers {
    char *path;
    struct opening *opening;
    pthread_key_t key;
    struct lock lock;
    struct list all GUARDED_BY(readers_lock_class);
};

enum reader_statement {
    READER_LINES,
    READER_FIND,
    READER_LIST,
    READER_LIST_SERVICE,
    READER_LIST_STATE,
    READER_LIST_SERVICE_STATE,
    READER_LIST_BATCH,
    READER_FIND_KEY,
    READER_EVENTS,
    READER_STATEMENTS
};

struct reader {
    struct list link;
    struct readers *readers;
    unsigned epoch;
    sqlite3 *db;
    sqlite3_stmt *statements[READER_STATEMENTS]; /* NULL until first needed */
};

int readers_init(struct readers *readers, const char *path, struct opening *opening,
                 struct error *err);
void readers_deinit(struct readers *readers);

/* To be followed by reader_done(). */
int readers_mine(struct readers *readers, struct reader **ret_reader, struct error *err);
void reader_done(struct reader *reader);
/* The statement, borrowed: it must be reset after use, for what it holds open keeps the log from
 * being cut back. */
int reader_statement(struct reader *reader, enum reader_statement which,
                     sqlite3_stmt **ret_statement, struct error *err);
