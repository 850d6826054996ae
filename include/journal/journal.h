/* journal - what was accepted and how it ended, in SQLite (WAL), and what each service was last.
 *
 * Writing never blocks the caller on another's commit. journal_submit() queues an entry; when
 * nobody is committing, the caller becomes the leader and commits all that is queued in one
 * transaction (9 us; a hand-over to a thread would cost 80). When SQLite is busy or has failed, or
 * a leader has done its share, the journal's own thread goes on: up to 10 tries, exponential with
 * jitter. Each entry's done() is called exactly once, without any lock held, from whatever thread
 * committed: 0, or -errno when the entry was withdrawn at its give_up_mono (-EBUSY, -ENOSPC, -EIO
 * and such: why it could not be written; -ETIMEDOUT: it came too late; -ECANCELED: the journal was
 * closed). Entries without one are kept, in order, until they can be written.
 *
 * All of an operation is kept but its position. An operation's service never changes.
 *
 * Threads: any may submit and read; readers use a connection of their own thread.
 * Ownership: entries are copied in; what readers return is the caller's. */
#pragma once

#include "base/error.h"
#include "model/operation.h"

#include <stdbool.h>
#include <stdint.h>

struct journal;

/* What is kept of a service between daemons. */
struct service_record {
    char name[SERVICE_NAME_MAX + 1];
    enum service_state state;
    enum goal goal;
    int64_t generation; /* the last one that was begun; never goes back */
    int64_t restarts;   /* automatic ones, ever */
};

struct journal_config {
    const char *path;    /* .../state.db */
    const char *boot_id; /* this boot; operations of another one are interrupted */
    bool durability_full;
    int64_t history_count, history_age_us; /* ended operations kept; 0: no limit */
};

/* Opens or makes the database, migrates its schema forwards, starts the journal's thread. A corrupt
 * file is set aside as PATH.corrupt-<time> and a new one made (*ret_set_aside true). */
int journal_open(const struct journal_config *config, struct journal **ret_journal,
                 bool *ret_set_aside, struct error *err);
/* Commits what is queued, as far as it can, and closes. */
void journal_close(struct journal *journal);

typedef void journal_done(void *context, int result);

struct journal_entry {
    const struct operation *operation;    /* inserted, or replaced by its id; NULL: none */
    const struct service_record *service; /* inserted or replaced; NULL: none */
    int64_t give_up_mono;                 /* clock_mono_us(); 0: never given up */
    journal_done *done;                   /* NULL: nobody waits */
    void *context;
};

/* All entries go into one transaction and succeed or are withdrawn together (they share the first
 * one's give_up_mono, done and context). 0; -ENOMEM: nothing was queued and done is not called. */
int journal_submit(struct journal *journal, const struct journal_entry *entries, size_t count);

/* At start: everything that had not ended, by id, of this boot; what waited in another boot has
 * been ended `interrupted` first. And every service record. Called once, before any submit. */
struct journal_boot {
    struct operation *operations;
    size_t operation_count;
    struct service_record *services;
    size_t service_count;
    int64_t next_operation_id;
    bool same_boot; /* the last daemon ran in this boot */
};
int journal_load(struct journal *journal, struct journal_boot *ret_boot, struct error *err);
void journal_boot_deinit(struct journal_boot *boot);

enum journal_find { JOURNAL_FOUND, JOURNAL_UNKNOWN, JOURNAL_PRUNED };
/* -errno only when the database cannot be read. */
int journal_find(struct journal *journal, int64_t id, enum journal_find *ret_found,
                 struct operation *ret_operation, struct error *err);

struct journal_filter {
    const char *service; /* NULL: all */
    int state;           /* enum operation_state, -1: all */
    int64_t before;      /* ids below it; 0: all */
    size_t limit;
};
/* Newest first. The caller frees the array after operation_deinit() of each. */
int journal_list(struct journal *journal, const struct journal_filter *filter,
                 struct operation **ret_operations, size_t *ret_count, struct error *err);

/* "ok", or why nothing can be written at the moment, in SQLite's own words; text must hold 256. A
 * lock that another program holds is told of when 10 tries have failed or an entry was withdrawn.
 */
bool journal_writable(struct journal *journal, char text[static 256]);
