#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

static int try_open(struct sandbox *box, struct journal **ret_journal, bool *ret_aside,
                    struct error *err)
{
    struct journal_config config = sandbox_config(box);

    return journal_open(&config, ret_journal, ret_aside, err);
}

static void overwrite(const char *path, off_t at, const char *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, at), n);
    close(fd);
}

static void the_file_is_made_with_mode_0640_whatever_the_umask(void **state)
{
    struct sandbox *box = *state;
    mode_t old = umask(0);
    struct journal *journal;
    struct stat st;

    journal = open_journal(box);
    put_state(journal, 1, "web", OPERATION_QUEUED);
    assert_int_equal(stat(box->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    journal_close(journal);
    umask(old);
}

static void durability_full_writes_too(void **state)
{
    struct journal_config config = sandbox_config(*state);
    struct journal *journal;

    config.durability_full = true;
    journal = open_config(&config);
    put_state(journal, 1, "web", OPERATION_QUEUED);
    assert_int_equal(find(journal, 1), JOURNAL_FOUND);
    journal_close(journal);
}

static void a_database_of_version_0_is_migrated(void **state)
{
    sqlite3 *db = open_shell(*state);
    struct journal *journal;

    shell(db, "PRAGMA user_version = 0; VACUUM");
    journal = open_journal(*state);
    put_state(journal, 1, "web", OPERATION_QUEUED);
    assert_true(shell_integer(db, "PRAGMA user_version") >= 1);
    assert_int_equal(shell_integer(db, "SELECT count(*) FROM history"), 1);
    sqlite3_close(db);
    journal_close(journal);
}

/* What the first release made, and what it wrote. */
static const char version_1[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE operations (id INTEGER PRIMARY KEY, service TEXT NOT NULL, action TEXT NOT NULL,"
    " state TEXT NOT NULL, changed INTEGER NOT NULL, origin TEXT NOT NULL,"
    " requested_by TEXT NOT NULL, accepted_utc INTEGER NOT NULL, started_utc INTEGER,"
    " finished_utc INTEGER, timeout_us INTEGER NOT NULL, waiting_for TEXT, detail TEXT, exit TEXT,"
    " output TEXT, started_mono INTEGER, begin_generation INTEGER NOT NULL, boot TEXT NOT NULL)"
    " STRICT;"
    "CREATE INDEX operations_service ON operations (service);"
    "CREATE INDEX operations_state ON operations (state);"
    "CREATE TABLE services (name TEXT PRIMARY KEY, state TEXT NOT NULL, goal TEXT NOT NULL,"
    " generation INTEGER NOT NULL, restarts INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;"
    "CREATE VIEW history AS SELECT id, service, action, state, changed, origin, requested_by,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', accepted_utc / 1e6, 'unixepoch') AS accepted,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', started_utc / 1e6, 'unixepoch') AS started,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', finished_utc / 1e6, 'unixepoch') AS finished,"
    " round((finished_utc - started_utc) / 1e6, 3) AS seconds, exit, detail"
    " FROM operations ORDER BY id DESC;"
    "PRAGMA user_version = 1;"
    "INSERT INTO meta VALUES ('boot_id', 'boot-1'), ('last_operation_id', 40);"
    "INSERT INTO services VALUES ('web', 'running', 'up', 6, 2), ('db', 'failed', 'down', 3, 0);"
    "INSERT INTO operations VALUES (41, 'web', 'restart', 'failed', 1, 'api', 'token:deploy',"
    " 1795200252518204, 1795200252518205, 1795200259000001, 1500000, NULL, 'it broke', 'code 1',"
    " '[\"one\",\"two\"]', 12345, 5, 'boot-1');"
    "INSERT INTO operations VALUES (42, 'db', 'stop', 'queued', 0, 'api', 'uid:0',"
    " 1795200252518299, NULL, NULL, 30000000, 'web', NULL, NULL, NULL, NULL, 0, 'boot-1');";

static void assert_first_release_s_records(struct journal *journal)
{
    struct operation op;
    enum journal_find found;

    assert_int_equal(journal_find(journal, 41, &found, &op, NULL), 0);
    assert_int_equal(found, JOURNAL_FOUND);
    assert_int_equal(op.action, ACTION_RESTART);
    assert_int_equal(op.state, OPERATION_FAILED);
    assert_string_equal(op.requested_by, "token:deploy");
    assert_string_equal(op.detail, "it broke");
    assert_int_equal(op.exit.value, 1);
    assert_int_equal(op.output.count, 2);
    assert_int_equal(op.started_mono, 12345);
    assert_true(op.durable);
    assert_int_equal(op.batch, 0);
    assert_int_equal(op.coalesced_into, 0);
    assert_null(op.reason);
    operation_deinit(&op);
}

static void a_database_of_the_first_release_is_migrated_with_all_it_holds(void **state)
{
    sqlite3 *db = open_shell(*state);
    struct journal_boot boot;
    struct journal *journal;
    char text[128];

    shell(db, version_1);
    /* as if it had ended a moment ago, within the history's age */
    shell(db, "WITH age AS (SELECT strftime('%s', 'now') * 1000000 - 1795200259000001 AS us)"
              " UPDATE operations SET accepted_utc = accepted_utc + (SELECT us FROM age),"
              " started_utc = started_utc + (SELECT us FROM age),"
              " finished_utc = finished_utc + (SELECT us FROM age);");
    sqlite3_close(db);
    journal = open_journal(*state);
    assert_int_equal(journal_load(journal, &boot, NULL), 0);
    assert_true(boot.same_boot);
    assert_int_equal(boot.next_operation_id, 43);
    assert_int_equal(boot.operation_count, 1);
    assert_int_equal(boot.operations[0].id, 42);
    assert_string_equal(boot.operations[0].waiting_for, "web");
    assert_int_equal(boot.service_count, 2);
    assert_int_equal(boot.services[1].standing.generation, 6);
    journal_boot_deinit(&boot);
    assert_first_release_s_records(journal);
    put_state(journal, 43, "web", OPERATION_QUEUED);
    journal_close(journal);
    db = open_shell(*state);
    assert_int_equal(shell_integer(db, "PRAGMA user_version"), 2);
    shell_text(db, "SELECT action || ' ' || state || ' ' || seconds FROM history WHERE id = 41",
               text);
    assert_string_equal(text, "restart failed 6.482");
    sqlite3_close(db);
    journal = open_journal(*state); /* and once more, as it is now */
    assert_first_release_s_records(journal);
    journal_close(journal);
}

static void a_database_of_a_newer_version_is_refused_and_left_alone(void **state)
{
    struct sandbox *box = *state;
    sqlite3 *db = open_shell(box);
    struct journal *journal;
    struct error err = {0};
    bool aside;

    shell(db, "PRAGMA user_version = 4711");
    assert_int_equal(try_open(box, &journal, &aside, &err), -ENOTSUP);
    assert_non_null(strstr(err.text, "newer Orderly"));
    assert_non_null(strstr(err.text, "4711"));
    assert_non_null(strstr(err.text, box->path));
    assert_int_equal(shell_integer(db, "PRAGMA user_version"), 4711);
    sqlite3_close(db);
    assert_int_equal(sandbox_count(box, "state.db.corrupt"), 0);
}

static void what_is_no_database_is_set_aside_and_a_new_one_made(void **state)
{
    struct sandbox *box = *state;
    char rubbish[8192];
    struct journal *journal;
    struct error err = {0};
    bool aside = false;

    memset(rubbish, 'x', sizeof rubbish);
    overwrite(box->path, 0, rubbish, sizeof rubbish);
    assert_int_equal(try_open(box, &journal, &aside, &err), 0);
    assert_true(aside);
    assert_int_equal(sandbox_count(box, "state.db.corrupt-"), 1);
    put_state(journal, 1, "web", OPERATION_QUEUED);
    assert_int_equal(find(journal, 1), JOURNAL_FOUND);
    journal_close(journal);
    assert_int_equal(try_open(box, &journal, &aside, &err), 0);
    assert_false(aside);
    assert_int_equal(find(journal, 1), JOURNAL_FOUND);
    journal_close(journal);
}

/* Leaves the files as a daemon does that is killed: the log is there. */
static void be_killed_after_writing(struct sandbox *box)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        struct journal *journal = open_journal(box);

        for (int id = 1; id <= 500; id++)
            put_state(journal, id, "web", OPERATION_QUEUED);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(sandbox_count(box, "state.db-wal"), 1);
}

static void what_a_killed_daemon_committed_is_there(void **state)
{
    struct journal *journal;

    be_killed_after_writing(*state);
    journal = open_journal(*state);
    for (int id = 1; id <= 500; id++)
        assert_int_equal(find(journal, id), JOURNAL_FOUND);
    journal_close(journal);
}

/* The header is sound and the schema can be read: only the check finds it. */
static void damage_in_the_middle_is_found_when_the_last_daemon_did_not_close(void **state)
{
    struct sandbox *box = *state;
    char rubbish[4096];
    struct journal *journal;
    sqlite3 *db;
    struct error err = {0};
    bool aside = false;

    journal = open_journal(box);
    for (int id = 1; id <= 500; id++)
        put_state(journal, id, "web", OPERATION_QUEUED);
    journal_close(journal);
    db = open_shell(box);
    shell(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_close(db);
    memset(rubbish, 0xaa, sizeof rubbish);
    for (int page = 10; page < 20; page++) /* the last ones of 500 rows' leaves */
        overwrite(box->path, page * 4096, rubbish, sizeof rubbish);
    char log[96];
    snprintf(log, sizeof log, "%s-wal", box->path);
    overwrite(log, 0, rubbish, 32); /* one that recovery passes over: it is there, that is all */
    assert_int_equal(try_open(box, &journal, &aside, &err), 0);
    assert_true(aside);
    assert_true(sandbox_count(box, "state.db.corrupt-") >= 2); /* its log as well */
    assert_int_equal(find(journal, 1), JOURNAL_UNKNOWN);
    journal_close(journal);
}

/* Root may write anywhere; so another user tries. */
static void a_folder_that_cannot_be_written_is_named(void **state)
{
    struct sandbox *box = *state;
    pid_t child;
    int status;

    assert_int_equal(chmod(box->folder, 0555), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct journal *journal;
        struct error err = {0};
        bool aside;
        int result;

        if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
            _exit(2);
        result = try_open(box, &journal, &aside, &err);
        _exit(result == -EACCES && strstr(err.text, box->path) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(chmod(box->folder, 0755), 0);
    assert_int_equal(sandbox_count(box, "state.db"), 0);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    struct sandbox *box = *state, missing = *box;
    struct journal *journal;
    struct error err = {0};
    bool aside;

    snprintf(missing.path, sizeof missing.path, "%s/no/x.db", box->folder);
    assert_int_equal(try_open(&missing, &journal, &aside, &err), -ENOENT);
    assert_non_null(strstr(err.text, missing.path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_file_is_made_with_mode_0640_whatever_the_umask),
        TEST(durability_full_writes_too),
        TEST(a_database_of_version_0_is_migrated),
        TEST(a_database_of_the_first_release_is_migrated_with_all_it_holds),
        TEST(a_database_of_a_newer_version_is_refused_and_left_alone),
        TEST(what_is_no_database_is_set_aside_and_a_new_one_made),
        TEST(what_a_killed_daemon_committed_is_there),
        TEST(damage_in_the_middle_is_found_when_the_last_daemon_did_not_close),
        TEST(a_folder_that_cannot_be_written_is_named),
        TEST(a_folder_that_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
