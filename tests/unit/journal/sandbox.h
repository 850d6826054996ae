/* sandbox - a folder of its own for each test, a journal in it, and ways to wait for done().
 * Threads: an outcome may be awaited and reached from any. Ownership: sandbox_remove() removes the
 * folder with all that is in it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/lock.h"
#include "journal/journal.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sandbox {
    char folder[64], path[80];
};

static inline void sandbox_make(struct sandbox *box)
{
    snprintf(box->folder, sizeof box->folder, "/tmp/orderly-journal-XXXXXX");
    assert_non_null(mkdtemp(box->folder));
    snprintf(box->path, sizeof box->path, "%s/state.db", box->folder);
}

/* Files whose name begins so. */
static inline int sandbox_count(const struct sandbox *box, const char *prefix)
{
    DIR *folder = opendir(box->folder);
    struct dirent *entry;
    int count = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)))
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    closedir(folder);
    return count;
}

static inline void sandbox_remove(struct sandbox *box)
{
    DIR *folder = opendir(box->folder);
    struct dirent *entry;

    assert_non_null(folder);
    while ((entry = readdir(folder)))
        unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    assert_int_equal(rmdir(box->folder), 0);
}

static inline struct journal_config sandbox_config(const struct sandbox *box)
{
    return (struct journal_config){.path = box->path,
                                   .boot_id = "boot-1",
                                   .history_count = 100000,
                                   .history_age_us = 86400 * USEC_PER_SEC};
}

static inline struct journal *open_config(const struct journal_config *config)
{
    struct journal *journal;
    struct error err = {0};
    bool aside;

    if (journal_open(config, &journal, &aside, &err) < 0)
        fail_msg("%s", err.text);
    assert_false(aside);
    return journal;
}

static inline struct journal *open_journal(const struct sandbox *box)
{
    struct journal_config config = sandbox_config(box);

    return open_config(&config);
}

/* What done() said, and how often it was called. */
struct outcome {
    struct lock lock;
    struct cond reached;
    int calls, result;
};

static inline void outcome_init(struct outcome *outcome)
{
    *outcome = (struct outcome){0};
    lock_init(&outcome->lock, LOCK_TEST);
    cond_init(&outcome->reached);
}

static inline void outcome_done(void *context, int result)
{
    struct outcome *outcome = context;

    lock_take(&outcome->lock);
    outcome->calls++;
    outcome->result = result;
    cond_broadcast(&outcome->reached);
    lock_release(&outcome->lock);
}

/* The result of the only call. */
static inline int outcome_wait(struct outcome *outcome)
{
    int result;

    lock_take(&outcome->lock);
    while (outcome->calls == 0)
        cond_wait(&outcome->reached, &outcome->lock);
    assert_int_equal(outcome->calls, 1);
    result = outcome->result;
    lock_release(&outcome->lock);
    return result;
}

static inline bool outcome_reached(struct outcome *outcome)
{
    bool reached;

    lock_take(&outcome->lock);
    reached = outcome->calls > 0;
    lock_release(&outcome->lock);
    return reached;
}

static inline struct operation an_operation(int64_t id, const char *service,
                                            enum operation_state state)
{
    struct operation op = {.id = id,
                           .action = ACTION_RESTART,
                           .state = state,
                           .origin = ORIGIN_API,
                           .requested_by = "uid:0",
                           .accepted_utc = clock_utc_us(),
                           .timeout_us = 30 * USEC_PER_SEC};

    snprintf(op.service, sizeof op.service, "%s", service);
    if (operation_ended(&op))
        op.finished_utc = op.accepted_utc;
    return op;
}

/* Submits and gives what done() says. */
static inline int put(struct journal *journal, const struct operation *op,
                      const struct service_record *service)
{
    struct outcome outcome;
    struct journal_entry entry = {
        .operation = op, .service = service, .done = outcome_done, .context = &outcome};

    outcome_init(&outcome);
    assert_int_equal(journal_submit(journal, &entry, 1), 0);
    return outcome_wait(&outcome);
}

static inline void put_state(struct journal *journal, int64_t id, const char *service,
                             enum operation_state state)
{
    struct operation op = an_operation(id, service, state);

    assert_int_equal(put(journal, &op, NULL), 0);
}

static inline enum journal_find find(struct journal *journal, int64_t id)
{
    struct operation op;
    struct error err = {0};
    enum journal_find found;

    if (journal_find(journal, id, &found, &op, &err) < 0)
        fail_msg("%s", err.text);
    if (found == JOURNAL_FOUND)
        operation_deinit(&op);
    return found;
}

/* Another program's connection, such as the sqlite3 shell's. */
static inline sqlite3 *open_shell(const struct sandbox *box)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(box->path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    return db;
}

static inline void shell(sqlite3 *db, const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

static inline int64_t shell_integer(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    int64_t value;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static inline void shell_text(sqlite3 *db, const char *sql, char text[static 128])
{
    sqlite3_stmt *statement;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    snprintf(text, 128, "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
}

static inline int setup_sandbox(void **state)
{
    struct sandbox *box = calloc(1, sizeof *box);

    assert_non_null(box);
    sandbox_make(box);
    *state = box;
    return 0;
}

static inline int remove_sandbox(void **state)
{
    sandbox_remove(*state);
    free(*state);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup_sandbox, remove_sandbox)
