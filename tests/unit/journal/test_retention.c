#include "sandbox.h"

/* Ids from first on, ended at a time, all in one transaction. */
static void put_ended(struct journal *journal, int64_t first, int count, int64_t finished_utc)
{
    struct operation *ops = calloc((size_t)count, sizeof *ops);
    struct journal_entry *entries = calloc((size_t)count, sizeof *entries);
    struct outcome outcome;

    outcome_init(&outcome);
    for (int i = 0; i < count; i++) {
        ops[i] = an_operation(first + i, "web", OPERATION_SUCCEEDED);
        ops[i].finished_utc = finished_utc;
        entries[i].operation = &ops[i];
    }
    entries[0].done = outcome_done;
    entries[0].context = &outcome;
    assert_int_equal(journal_submit(journal, entries, (size_t)count), 0);
    assert_int_equal(outcome_wait(&outcome), 0);
    free(entries);
    free(ops);
}

static void only_so_many_ended_operations_are_kept_and_the_newest_of_them(void **state)
{
    struct journal_config config = sandbox_config(*state);
    struct journal *journal;
    sqlite3 *db;

    config.history_count = 100;
    journal = open_config(&config);
    put_state(journal, 1, "web", OPERATION_QUEUED);
    put_state(journal, 2, "web", OPERATION_RUNNING);
    for (int64_t id = 3; id < 3003; id += 300)
        put_ended(journal, id, 300, clock_utc_us());
    db = open_shell(*state);
    assert_int_equal(shell_integer(db, "SELECT count(*) FROM operations"), 102);
    assert_int_equal(shell_integer(db, "SELECT max(id) FROM operations"), 3002);
    sqlite3_close(db);
    assert_int_equal(find(journal, 1), JOURNAL_FOUND); /* what has not ended is never taken */
    assert_int_equal(find(journal, 2), JOURNAL_FOUND);
    assert_int_equal(find(journal, 3), JOURNAL_PRUNED);
    assert_int_equal(find(journal, 2902), JOURNAL_PRUNED);
    assert_int_equal(find(journal, 2903), JOURNAL_FOUND);
    assert_int_equal(find(journal, 3003), JOURNAL_UNKNOWN);
    journal_close(journal);
}

static void what_ended_too_long_ago_is_taken_out_at_open(void **state)
{
    struct journal_config config = sandbox_config(*state);
    struct journal *journal = open_config(&config);

    put_ended(journal, 1, 5, clock_utc_us() - 2 * config.history_age_us);
    put_ended(journal, 6, 5, clock_utc_us());
    put_state(journal, 11, "web", OPERATION_QUEUED);
    journal_close(journal);
    journal = open_config(&config);
    assert_int_equal(find(journal, 5), JOURNAL_PRUNED);
    assert_int_equal(find(journal, 6), JOURNAL_FOUND);
    assert_int_equal(find(journal, 11), JOURNAL_FOUND);
    journal_close(journal);
}

static void a_long_history_is_cut_to_a_smaller_limit_at_open(void **state)
{
    struct journal_config config = sandbox_config(*state);
    struct journal *journal = open_config(&config);
    sqlite3 *db;

    put_ended(journal, 1, 5000, clock_utc_us());
    journal_close(journal);
    config.history_count = 10;
    journal = open_config(&config);
    db = open_shell(*state);
    assert_int_equal(shell_integer(db, "SELECT count(*) FROM operations"), 10);
    sqlite3_close(db);
    journal_close(journal);
}

static void ids_are_never_given_again_when_all_that_had_them_are_gone(void **state)
{
    struct journal_config config = sandbox_config(*state);
    struct journal *journal = open_config(&config);
    struct journal_boot boot;

    put_ended(journal, 1, 50, clock_utc_us() - 2 * config.history_age_us);
    journal_close(journal);
    journal = open_config(&config); /* takes all of them out */
    journal_close(journal);
    journal = open_config(&config);
    assert_int_equal(find(journal, 50), JOURNAL_PRUNED);
    assert_int_equal(find(journal, 51), JOURNAL_UNKNOWN);
    assert_int_equal(journal_load(journal, &boot, NULL), 0);
    assert_int_equal(boot.next_operation_id, 51);
    journal_boot_deinit(&boot);
    journal_close(journal);
}

static void keys_that_are_too_old_go_as_well(void **state)
{
    const struct journal_key old = {"uid:0", "old", "POST /start/web", 1, false};
    const struct journal_key young = {"uid:0", "young", "POST /start/web", 2, false};
    struct journal_config config = sandbox_config(*state);
    struct journal *journal = open_config(&config);
    struct operation op = an_operation(1, "web", OPERATION_SUCCEEDED);
    struct journal_entry entry = {.operation = &op, .key = &old};
    sqlite3 *db = open_shell(*state);

    assert_int_equal(journal_submit(journal, &entry, 1), 0);
    put_state(journal, 1, "web", OPERATION_SUCCEEDED);
    shell(db, "UPDATE keys SET accepted_utc = accepted_utc - 86401000000");
    entry.key = &young;
    assert_int_equal(journal_submit(journal, &entry, 1), 0);
    put_ended(journal, 2, 3000, clock_utc_us()); /* enough for it to look */
    put_ended(journal, 3002, 1, clock_utc_us());
    assert_int_equal(shell_integer(db, "SELECT group_concat(key) = 'young' FROM keys"), 1);
    sqlite3_close(db);
    journal_close(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_so_many_ended_operations_are_kept_and_the_newest_of_them),
        TEST(what_ended_too_long_ago_is_taken_out_at_open),
        TEST(a_long_history_is_cut_to_a_smaller_limit_at_open),
        TEST(keys_that_are_too_old_go_as_well),
        TEST(ids_are_never_given_again_when_all_that_had_them_are_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
