/* journal - what was accepted and how it ended, in SQLite (WAL), and what each service was last.
 *
 * Writing never blocks the caller on another's commit. journal_submit() queues an entry; when
 * nobody is committing, the caller becomes the leader and commits all that is queued in one
 * transaction (9 us; a hand-over to a thread would cost 80). When SQLite is busy or has failed, or
 * a leader has done its share, the journal's own thread goes on: up to 10 tries, exponential with
 * jitter. Each entry's done() is called exactly once, without any lock held, from whatever thread
 * committed: 0, or -errno when the entry was withdrawn at its give_up_mono (-EBUSY, -ENOSPC, -EIO
 * and such: why it could not be written; -ETIMEDOUT: it came too late; -ECANCELED: the journal was
 * closed; -EEXIST: its key has been used meanwhile). Entries without one are kept, in order, until
 * they can be written; of more than 32768 the oldest are withdrawn with the reason.
 *
 * What nobody waits for, and what stands in a mark as well, may come later: it is committed with
 * the next entry that somebody waits for, or when JOURNAL_LATER_US have passed. So a service's
 * restart costs one transaction, not six.
 *
 * Bad days, each told by journal_writable() and over by itself:
 * - A full disk. A reserve of 4 MiB (PATH-reserve) is given up for what is essential or never given
 *   up; the rest is withdrawn at once with -ENOSPC until there is room for the reserve again.
 * - Another program holds a lock, the folder or the file is read-only, a write fails: tried again,
 *   after some failures by a new connection.
 * - The file or its folder was removed, or another file put there: found out before the next
 * commit. The folder and the file are made anew, or the new file is taken, and all that the old one
 * held is carried over, for it is still open. Only if it cannot be read any more is that lost.
 * - SQLite finds the file corrupt: it is set aside. What it held is lost; what is queued is
 * written. A lost history is told of by journal_warning(), and so is a log that grows because
 * another program does not end its reading. A database that can only be read when it is opened can
 * be loaded all the same; writing begins when it can.
 *
 * Events are the one thing that is never waited for: they are dropped when the disk is full, and
 * before anything else when too much is queued.
 *
 * All of an operation is kept but its position; what is read back is durable. An operation's
 * service and batch never change.
 *
 * Threads: any may submit and read; readers use a connection of their own thread.
 * Ownership: entries are copied in; what readers return is the caller's. */
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "model/operation.h"

#include <stdbool.h>
#include <stdint.h>

struct journal;

/* What is kept of a service between daemons. */
struct service_standing {
    enum service_state state;
    enum goal goal;
    int64_t generation; /* the last one that was begun; never goes back */
    int64_t restarts;   /* automatic ones, ever */
};

struct service_record {
    char name[SERVICE_NAME_MAX + 1];
    struct service_standing standing;
};

struct journal_config {
    const char *path;    /* .../state.db */
    const char *boot_id; /* this boot; operations of another one are interrupted */
    bool durability_full;
    int64_t history_count, history_age_us; /* ended operations kept; 0: no limit */
    /* journal_writable() or journal_warning() says something else now. From whatever thread
     * noticed, a submitter's too, without any lock held; it may ask, and submit. NULL: nobody wants
     * to know.
     */
    void (*state_changed)(void *context);
    void *context;
};

/* Opens or makes the database, migrates its schema forwards, starts the journal's thread. A corrupt
 * file is set aside as PATH.corrupt-<time> and a new one made (*ret_set_aside true). */
int journal_open(const struct journal_config *config, struct journal **ret_journal,
                 bool *ret_set_aside, struct error *err);
/* Commits what is queued, as far as it can, and closes. */
void journal_close(struct journal *journal);
/* The pages that are kept in memory, unless somebody writes: they are read again when needed. Any
 * thread. */
void journal_give_back(struct journal *journal);

typedef void journal_done(void *context, int result);

/* An Idempotency-Key that was used: whose, for which request, and what came of it. */
struct journal_key {
    const char *identity, *key;
    const char *request; /* in its canonical form */
    int64_t operation;   /* its operation, or the first of its batch */
    bool batch;
};

/* Facts that happened one after the other, first to last being their numbers. */
struct journal_events {
    int64_t first, last, at_utc;
    const char *text; /* a line each */
};

#define JOURNAL_LATER_US (10 * USEC_PER_MSEC)

struct journal_entry {
    const struct operation *operation;    /* inserted, or replaced by its id; NULL: none */
    const struct service_record *service; /* inserted or replaced; NULL: none */
    const struct journal_key *key;        /* inserted, or replaced when it is too old; NULL: none */
                                          /* one that was used since: all is withdrawn, -EEXIST */
    const struct journal_events *events;  /* inserted; NULL: none; an entry of nothing else is
                                             never essential */
    bool essential;                       /* may have the reserve when the disk is full */
    bool later;                           /* need not be committed at once */
    int64_t give_up_mono;                 /* clock_mono_us(); 0: never given up */
    journal_done *done;                   /* NULL: nobody waits */
    void *context;
};

/* All entries go into one transaction and succeed or are withdrawn together (they share the first
 * one's later, give_up_mono, done and context). 0; -ENOMEM: nothing was queued and done is not
 * called. */
int journal_submit(struct journal *journal, const struct journal_entry *entries, size_t count);

/* At start: everything that had not ended, by id, of this boot; what waited in another boot has
 * been ended `interrupted` first. And every service record. Called once, before any submit. */
struct journal_boot {
    struct operation *operations;
    size_t operation_count;
    struct service_record *services;
    size_t service_count;
    int64_t next_operation_id;
    int64_t last_event; /* the highest number of an event; 0: none */
    bool same_boot;     /* the last daemon ran in this boot */
};
int journal_load(struct journal *journal, struct journal_boot *ret_boot, struct error *err);
void journal_boot_deinit(struct journal_boot *boot);

enum journal_find { JOURNAL_FOUND, JOURNAL_UNKNOWN, JOURNAL_PRUNED };
/* -errno only when the database cannot be read. */
int journal_find(struct journal *journal, int64_t id, enum journal_find *ret_found,
                 struct operation *ret_operation, struct error *err);

#define JOURNAL_KEY_AGE (24 * 3600 * USEC_PER_SEC)
struct journal_key_found {
    char *request; /* the caller's */
    int64_t operation;
    bool batch;
};
/* A key that is at most JOURNAL_KEY_AGE old; *ret_found false: there is none. Sees what is
 * committed. -errno when the database cannot be read. */
int journal_find_key(struct journal *journal, const char *identity, const char *key,
                     bool *ret_found, struct journal_key_found *ret_key, struct error *err);

struct journal_filter {
    const char *service; /* NULL: all */
    int64_t batch;       /* 0: all */
    int state;           /* enum operation_state, -1: all */
    int64_t before;      /* ids below it; 0: all */
    size_t limit;
};
/* Newest first. The caller frees the array after operation_deinit() of each. */
int journal_list(struct journal *journal, const struct journal_filter *filter,
                 struct operation **ret_operations, size_t *ret_count, struct error *err);

/* Rows of events that end after that number, oldest first, until the visitor says that it wants no
 * more; their text is writable and valid during the call. About JOURNAL_EVENTS events are kept at
 * most, within the history's age, and always the newest. */
#define JOURNAL_EVENTS 30000
typedef bool journal_row_visitor(void *context, char *text);
int journal_read_events(struct journal *journal, int64_t after, journal_row_visitor *row,
                        void *context, struct error *err);

/* "ok", or why not everything can be written at the moment; text must hold 256. A lock that another
 * program holds is told of when 10 tries have failed or an entry was withdrawn. */
bool journal_writable(struct journal *journal, char text[static 256]);
/* Whether what is essential is still written: it is writable, or the disk is full but the reserve
 * was enough so far. */
bool journal_takes_essential(struct journal *journal);
/* Whether there is something to say of it though it can be written; text must hold 256. */
bool journal_warning(struct journal *journal, char text[static 256]);

/* At any time: what is kept of what has ended; 0: no limit. */
void journal_set_history(struct journal *journal, int64_t count, int64_t age_us);
