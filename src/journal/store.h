/* store - what is done with the writer's connection: groups of entries written in one transaction,
 * and what is too old taken out in the same.
 * Threads: whoever leads uses it alone; store_highest() is for any.
 * Ownership: the store owns the connection and its statements. */
#pragma once

#include "base/list.h"
#include "journal/journal.h"

#include <sqlite3.h>
#include <stdatomic.h>

enum store_statement {
    STORE_BEGIN,
    STORE_COMMIT,
    STORE_ROLLBACK,
    STORE_PUT_OPERATION,
    STORE_PUT_SERVICE,
    STORE_PROBE,
    STORE_COUNT_ENDED,
    STORE_KEEP_HIGHEST,
    STORE_DELETE_OLDEST,
    STORE_DELETE_AGED,
    STORE_STATEMENTS
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *statements[STORE_STATEMENTS];
    char *boot_id;
    int64_t history_count, history_age_us;
    int64_t ended_since_prune; /* operations written as ended */
    atomic_int_fast64_t highest;
};

/* Opens the database; on failure nothing is left to close. */
int store_open(struct store *store, const struct journal_config *config, bool *ret_set_aside,
               struct error *err);
void store_close(struct store *store);

/* One transaction, whole or not at all; 0 or -errno with SQLite's words. An empty list is a probe:
 * it writes something all the same. The groups stay the caller's. */
int store_write(struct store *store, const struct list *groups, struct error *err);

/* journal_load(). */
int store_load(struct store *store, struct journal_boot *ret_boot, struct error *err);

/* The highest id that was ever committed. */
int64_t store_highest(const struct store *store);
