/* records - operations, services, keys and events as rows.
 * Threads: whoever holds the statement's connection. Ownership: what is read is the caller's; what
 * is bound must live until the statement has run. */
#pragma once

#include "base/error.h"
#include "journal/journal.h"

#include <sqlite3.h>

/* The order in which operation_bind() binds and operation_read() reads; boot is bound last and
 * never read. */
#define OPERATION_COLUMNS                                                                          \
    "id, service, action, state, changed, origin, requested_by, accepted_utc, started_utc, "       \
    "finished_utc, timeout_us, waiting_for, detail, exit, output, started_mono, "                  \
    "begin_generation, signal, reason, batch, coalesced_into, replaces"
#define SERVICE_COLUMNS "name, state, goal, generation, restarts"
#define KEY_COLUMNS     "identity, key, request, operation, batch, accepted_utc"
#define EVENT_COLUMNS   "first, last, at, text"
/* Spells out a stored output, which is a JSON array, as one row a line. */
#define OUTPUT_LINES_SQL "SELECT value FROM json_each(?1)"

/* A key that is there and not too old stays: then nothing is changed. */
extern const char operation_put_sql[], service_put_sql[], key_put_sql[], events_put_sql[];

/* Each gives a result of SQLite's. */
int operation_bind(sqlite3_stmt *put, const struct operation *op, const char *boot);
int service_bind(sqlite3_stmt *put, const struct service_record *service);
int key_bind(sqlite3_stmt *put, const struct journal_key *key, int64_t now_utc);
int events_bind(sqlite3_stmt *put, const struct journal_events *events);

/* 0 or -errno; -EPROTO: the row holds a word that this program does not know. lines is a prepared
 * OUTPUT_LINES_SQL on any connection of the caller's. */
int operation_read(sqlite3_stmt *row, sqlite3_stmt *lines, struct operation *ret_operation,
                   struct error *err);
int service_read(sqlite3_stmt *row, struct service_record *ret_service, struct error *err);
