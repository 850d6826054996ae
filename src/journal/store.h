/* store - what is done with the writer's connection: groups of entries written in one transaction,
 * and what is too old taken out in the same.
 * Threads: whoever leads uses it alone; store_highest() is for any, and so is opening.
 * Ownership: the store owns the connection and its statements. */
#pragma once

#include "base/list.h"
#include "journal/journal.h"
#include "log_watch.h"
#include "opening.h"
#include "place.h"
#include "reserve.h"

#include <sqlite3.h>
#include <stdatomic.h>

enum store_statement {
    STORE_BEGIN,
    STORE_COMMIT,
    STORE_ROLLBACK,
    STORE_PUT_OPERATION,
    STORE_PUT_SERVICE,
    STORE_PUT_KEY,
    STORE_PUT_EVENTS,
    STORE_PROBE,
    STORE_COUNT_ENDED,
    STORE_KEEP_HIGHEST,
    STORE_DELETE_OLDEST,
    STORE_DELETE_AGED,
    STORE_DELETE_KEYS,
    STORE_COUNT_EVENTS,
    STORE_DELETE_EVENTS,
    STORE_DELETE_AGED_EVENTS,
    STORE_STATEMENTS
};

struct store {
    sqlite3 *db; /* NULL: it could not be opened for writing yet */
    sqlite3_stmt *statements[STORE_STATEMENTS];
    sqlite3 *reading;     /* until it is loaded, when it can only be read */
    struct error trouble; /* why it can only be read */
    struct place place;
    struct reserve reserve;
    struct log_watch log;
    char *boot_id;
    bool durability_full;
    _Atomic int64_t history_count, history_age_us; /* a reload changes them */
    int64_t ended_since_prune;                     /* operations written as ended */
    int64_t events_since_prune;
    bool boot_pending; /* this boot is still to be noted, and what another left to be ended */
    bool full;         /* the disk is: what may not have the reserve is not written */
    bool corrupt;      /* SQLite has said so */
    int failures;      /* in a row that neither a lock nor a full disk explains */
    char notice[192];  /* what was lost while it ran; "": nothing */
    struct opening opening;
    atomic_int_fast64_t highest;
};

/* Opens the database; on failure nothing is left to close. A sound one that can only be read for
 * the moment is no failure: it can be loaded, and store_restore() goes on from there. */
int store_open(struct store *store, const struct journal_config *config, bool *ret_set_aside,
               struct error *err);
void store_close(struct store *store);

/* Whether the connection is open, has not failed again and again, and its file is still where it
 * was. */
bool store_sound(const struct store *store);
/* Opens what now stands at the path, or makes it, with what can be read of the file before. */
int store_restore(struct store *store, struct error *err);

/* One transaction, whole or not at all; 0 or -errno with SQLite's words. An empty list is a probe:
 * it writes something all the same. When the disk is full the reserve is given up for those that
 * may have it; the others are moved to refused. What stays in groups is the caller's. */
int store_write(struct store *store, struct list *groups, struct list *refused, struct error *err);

/* journal_load(). */
int store_load(struct store *store, struct journal_boot *ret_boot, struct error *err);
/* Within a transaction: ends what waited in another boot, and notes this one. */
int store_enter_boot(struct store *store);

/* Whether there is something to tell of though it can be written; text must hold 256. */
bool store_warning(const struct store *store, char text[static 256]);

/* The highest id that was ever committed; noted where it stays when its row goes (SQLite's
 * result). */
int64_t store_highest(const struct store *store);
int store_keep_highest(struct store *store);

/* For those of the store's own files. */
int store_prepare(struct store *store, struct error *err);
void store_discard(sqlite3 *db, sqlite3_stmt *statements[static STORE_STATEMENTS]);
