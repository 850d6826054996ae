/* What may come later is written in company, or alone when none comes. */
#include "sandbox.h"

static void put_later(struct journal *journal, int64_t id, enum operation_state operation_state,
                      struct outcome *outcome)
{
    struct operation op = an_operation(id, "web", operation_state);
    struct journal_entry entry = {.operation = &op, .later = true};

    if (outcome) {
        entry.done = outcome_done;
        entry.context = outcome;
    }
    assert_int_equal(journal_submit(journal, &entry, 1), 0);
}

static enum operation_state state_of(struct journal *journal, int64_t id)
{
    enum operation_state state;
    enum journal_find found;
    struct operation op;

    assert_int_equal(journal_find(journal, id, &found, &op, NULL), 0);
    assert_int_equal(found, JOURNAL_FOUND);
    state = op.state;
    operation_deinit(&op);
    return state;
}

/* Whoever comes first waits for the next: the order stays. */
static void it_is_committed_with_the_next_that_somebody_waits_for(void **state)
{
    struct journal *journal = open_journal(*state);
    struct outcome outcome;

    outcome_init(&outcome);
    put_later(journal, 1, OPERATION_SUCCEEDED, &outcome);
    put_state(journal, 2, "web", OPERATION_QUEUED);
    assert_true(outcome_reached(&outcome));
    assert_int_equal(find(journal, 1), JOURNAL_FOUND);
    journal_close(journal);
}

static void alone_it_is_committed_all_the_same(void **state)
{
    struct journal *journal = open_journal(*state);
    struct outcome outcome;

    for (int64_t id = 1; id <= 3; id++) {
        outcome_init(&outcome);
        put_later(journal, id, OPERATION_SUCCEEDED, &outcome);
        assert_int_equal(outcome_wait(&outcome), 0);
        assert_int_equal(find(journal, id), JOURNAL_FOUND);
    }
    journal_close(journal);
}

static void closing_commits_it(void **state)
{
    struct journal *journal = open_journal(*state);

    put_later(journal, 1, OPERATION_SUCCEEDED, NULL);
    journal_close(journal);
    journal = open_journal(*state);
    assert_int_equal(find(journal, 1), JOURNAL_FOUND);
    journal_close(journal);
}

static void the_newest_record_of_an_operation_counts(void **state)
{
    struct journal *journal = open_journal(*state);

    put_later(journal, 1, OPERATION_QUEUED, NULL);
    put_later(journal, 2, OPERATION_RUNNING, NULL);
    put_later(journal, 1, OPERATION_RUNNING, NULL);
    put_later(journal, 1, OPERATION_SUCCEEDED, NULL);
    put_state(journal, 3, "web", OPERATION_QUEUED);
    assert_int_equal(state_of(journal, 1), OPERATION_SUCCEEDED);
    assert_int_equal(state_of(journal, 2), OPERATION_RUNNING);
    journal_close(journal);
}

static void many_are_company_enough(void **state)
{
    struct journal *journal = open_journal(*state);
    int64_t count = 1000;

    for (int64_t id = 1; id <= count; id++)
        put_later(journal, id, OPERATION_SUCCEEDED, NULL);
    put_state(journal, count + 1, "web", OPERATION_QUEUED);
    for (int64_t id = 1; id <= count; id++)
        assert_int_equal(find(journal, id), JOURNAL_FOUND);
    journal_close(journal);
}

/* A lock that another program holds does not turn the order round, and nothing is lost. */
static void it_is_tried_again_like_anything_else(void **state)
{
    struct journal *journal = open_journal(*state);
    sqlite3 *db = open_shell(*state);
    struct outcome first, second;

    outcome_init(&first);
    outcome_init(&second);
    shell(db, "BEGIN IMMEDIATE");
    put_later(journal, 1, OPERATION_RUNNING, &first);
    put_later(journal, 1, OPERATION_SUCCEEDED, &second);
    shell(db, "COMMIT");
    sqlite3_close(db);
    assert_int_equal(outcome_wait(&first), 0);
    assert_int_equal(outcome_wait(&second), 0);
    assert_int_equal(state_of(journal, 1), OPERATION_SUCCEEDED);
    journal_close(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_committed_with_the_next_that_somebody_waits_for),
        TEST(alone_it_is_committed_all_the_same),
        TEST(closing_commits_it),
        TEST(the_newest_record_of_an_operation_counts),
        TEST(many_are_company_enough),
        TEST(it_is_tried_again_like_anything_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
