#include "sandbox.h"

static struct journal *open_boot(struct sandbox *box, const char *boot_id,
                                 struct journal_boot *ret_boot)
{
    struct journal_config config = sandbox_config(box);
    struct journal *journal;

    config.boot_id = boot_id;
    journal = open_config(&config);
    assert_int_equal(journal_load(journal, ret_boot, NULL), 0);
    return journal;
}

static void a_new_journal_holds_nothing_and_begins_with_one(void **state)
{
    struct journal_boot boot;
    struct journal *journal = open_boot(*state, "boot-1", &boot);

    assert_int_equal(boot.operation_count, 0);
    assert_int_equal(boot.service_count, 0);
    assert_int_equal(boot.next_operation_id, 1);
    assert_false(boot.same_boot);
    journal_boot_deinit(&boot);
    journal_close(journal);
}

static void fill(struct journal *journal)
{
    const struct service_record web = {"web", {STATE_RUNNING, GOAL_UP, 6, 3}};
    struct operation restart = an_operation(2, "web", OPERATION_RUNNING);

    restart.started_mono = 1234;
    restart.begin_generation = 5;
    restart.waiting_for = strdup("db");
    put_state(journal, 1, "web", OPERATION_SUCCEEDED);
    assert_int_equal(put(journal, &restart, &web), 0);
    put_state(journal, 4, "web", OPERATION_QUEUED);
    put_state(journal, 3, "db", OPERATION_QUEUED);
    operation_deinit(&restart);
}

static void what_had_not_ended_in_this_boot_is_given_back_in_order(void **state)
{
    struct journal_boot boot;
    struct journal *journal = open_boot(*state, "boot-1", &boot);

    journal_boot_deinit(&boot);
    fill(journal);
    journal_close(journal);
    journal = open_boot(*state, "boot-1", &boot);
    assert_true(boot.same_boot);
    assert_int_equal(boot.next_operation_id, 5);
    assert_int_equal(boot.operation_count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(boot.operations[i].id, i + 2);
    assert_int_equal(boot.operations[0].started_mono, 1234);
    assert_int_equal(boot.operations[0].begin_generation, 5);
    assert_string_equal(boot.operations[0].waiting_for, "db");
    assert_int_equal(boot.service_count, 1);
    assert_string_equal(boot.services[0].name, "web");
    assert_int_equal(boot.services[0].standing.state, STATE_RUNNING);
    assert_int_equal(boot.services[0].standing.goal, GOAL_UP);
    assert_int_equal(boot.services[0].standing.generation, 6);
    assert_int_equal(boot.services[0].standing.restarts, 3);
    journal_boot_deinit(&boot);
    journal_close(journal);
}

static void what_waited_in_another_boot_is_interrupted(void **state)
{
    struct journal_boot boot;
    struct journal *journal = open_boot(*state, "boot-1", &boot);
    struct operation op;
    enum journal_find found;

    journal_boot_deinit(&boot);
    fill(journal);
    journal_close(journal);
    journal = open_boot(*state, "boot-2", &boot);
    assert_false(boot.same_boot);
    assert_int_equal(boot.operation_count, 0);
    assert_int_equal(boot.service_count, 1);
    assert_int_equal(boot.next_operation_id, 5);
    journal_boot_deinit(&boot);
    for (int64_t id = 2; id <= 4; id++) {
        assert_int_equal(journal_find(journal, id, &found, &op, NULL), 0);
        assert_int_equal(op.state, OPERATION_INTERRUPTED);
        assert_string_equal(op.detail, "the machine was started anew");
        assert_null(op.waiting_for);
        assert_true(op.finished_utc >= op.accepted_utc);
        operation_deinit(&op);
    }
    assert_int_equal(journal_find(journal, 1, &found, &op, NULL), 0);
    assert_int_equal(op.state, OPERATION_SUCCEEDED);
    operation_deinit(&op);
    journal_close(journal);
    journal = open_boot(*state, "boot-2", &boot);
    assert_true(boot.same_boot);
    journal_boot_deinit(&boot);
    journal_close(journal);
}

/* A daemon that starts again beside an open shell must take over what runs all the same. */
static void a_held_lock_keeps_nobody_from_loading_in_the_same_boot(void **state)
{
    struct journal_boot boot;
    struct journal *journal = open_boot(*state, "boot-1", &boot);
    sqlite3 *db = open_shell(*state);

    journal_boot_deinit(&boot);
    fill(journal);
    journal_close(journal);
    shell(db, "BEGIN IMMEDIATE");
    journal = open_boot(*state, "boot-1", &boot);
    assert_int_equal(boot.operation_count, 3);
    journal_boot_deinit(&boot);
    shell(db, "COMMIT");
    sqlite3_close(db);
    journal_close(journal);
}

static void a_word_that_is_not_known_is_named(void **state)
{
    struct journal *journal = open_journal(*state);
    sqlite3 *db = open_shell(*state);
    struct journal_boot boot;
    struct error err = {0};

    put_state(journal, 7, "web", OPERATION_QUEUED);
    shell(db, "UPDATE operations SET action = 'frobnicate'");
    assert_true(journal_load(journal, &boot, &err) < 0);
    assert_non_null(strstr(err.text, "operation 7: \"frobnicate\" is not a known action"));
    sqlite3_close(db);
    journal_close(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_journal_holds_nothing_and_begins_with_one),
        TEST(what_had_not_ended_in_this_boot_is_given_back_in_order),
        TEST(what_waited_in_another_boot_is_interrupted),
        TEST(a_held_lock_keeps_nobody_from_loading_in_the_same_boot),
        TEST(a_word_that_is_not_known_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
