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
        TEST(a_database_of_a_newer_version_is_refused_and_left_alone),
        TEST(what_is_no_database_is_set_aside_and_a_new_one_made),
        TEST(what_a_killed_daemon_committed_is_there),
        TEST(damage_in_the_middle_is_found_when_the_last_daemon_did_not_close),
        TEST(a_folder_that_cannot_be_written_is_named),
        TEST(a_folder_that_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
