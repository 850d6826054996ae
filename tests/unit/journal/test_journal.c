#include "sandbox.h"

#include <errno.h>
#include <signal.h>

static void assert_same_operation(const struct operation *a, const struct operation *b)
{
    assert_int_equal(a->id, b->id);
    assert_string_equal(a->service, b->service);
    assert_int_equal(a->action, b->action);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->changed, b->changed);
    assert_int_equal(a->origin, b->origin);
    assert_string_equal(a->requested_by, b->requested_by);
    assert_int_equal(a->accepted_utc, b->accepted_utc);
    assert_int_equal(a->started_utc, b->started_utc);
    assert_int_equal(a->finished_utc, b->finished_utc);
    assert_int_equal(a->timeout_us, b->timeout_us);
    assert_int_equal(a->exit.kind, b->exit.kind);
    assert_int_equal(a->exit.value, b->exit.value);
    assert_int_equal(a->started_mono, b->started_mono);
    assert_int_equal(a->begin_generation, b->begin_generation);
    assert_int_equal(a->output.count, b->output.count);
    for (size_t i = 0; i < a->output.count; i++)
        assert_string_equal(a->output.items[i], b->output.items[i]);
    assert_int_equal(a->detail == NULL, b->detail == NULL);
    if (a->detail)
        assert_string_equal(a->detail, b->detail);
    assert_int_equal(a->waiting_for == NULL, b->waiting_for == NULL);
    if (a->waiting_for)
        assert_string_equal(a->waiting_for, b->waiting_for);
    assert_int_equal(a->signal, b->signal);
    assert_int_equal(a->batch, b->batch);
    assert_int_equal(a->coalesced_into, b->coalesced_into);
    assert_int_equal(a->replaces, b->replaces);
    assert_int_equal(a->reason == NULL, b->reason == NULL);
    if (a->reason)
        assert_string_equal(a->reason, b->reason);
    assert_true(b->durable); /* it was read */
}

static void assert_stored(struct journal *journal, const struct operation *op)
{
    struct operation found;
    enum journal_find result;

    assert_int_equal(put(journal, op, NULL), 0);
    assert_int_equal(journal_find(journal, op->id, &result, &found, NULL), 0);
    assert_int_equal(result, JOURNAL_FOUND);
    assert_same_operation(op, &found);
    operation_deinit(&found);
}

static void every_field_of_an_operation_comes_back(void **state)
{
    struct journal *journal = open_journal(*state);
    struct operation op = an_operation(42, "backend@1.x", OPERATION_FAILED);

    op.action = ACTION_STOP;
    op.changed = true;
    op.origin = ORIGIN_DEPENDENCY;
    snprintf(op.requested_by, sizeof op.requested_by, "token:deploy");
    op.accepted_utc = 1795200252518204;
    op.started_utc = 1795200252518205;
    op.finished_utc = 1795200259000001;
    op.timeout_us = 1500000;
    op.waiting_for = strdup("a \"quoted\" one");
    op.detail = strdup("exited with status 1 before becoming ready; it's \xc3\xa9vident");
    op.exit = (struct exit_cause){EXIT_CODE, 1};
    string_list_add(&op.output, "plain");
    string_list_add(&op.output, "");
    string_list_add(&op.output, "tab\t, \"quotes\", back\\slash, \x1b[31mred, \xe2\x82\xac");
    op.started_mono = 123456789;
    op.begin_generation = 7;
    op.reason = strdup("a new 'release'; \xe2\x82\xac");
    op.batch = 40;
    op.coalesced_into = 41;
    op.replaces = true;
    assert_stored(journal, &op);
    operation_deinit(&op);
    journal_close(journal);
}

static void an_operation_with_nothing_optional_comes_back(void **state)
{
    struct journal *journal = open_journal(*state);
    struct operation op = an_operation(1, "web", OPERATION_QUEUED);

    assert_stored(journal, &op);
    journal_close(journal);
}

static void every_state_and_exit_comes_back(void **state)
{
    const struct exit_cause causes[] = {
        {EXIT_NONE, 0}, {EXIT_CODE, 0}, {EXIT_SIGNAL, 9}, {EXIT_SIGNAL, 40}, {EXIT_UNKNOWN, 0}};
    struct journal *journal = open_journal(*state);
    struct operation op = an_operation(1, "web", OPERATION_QUEUED);

    for (int s = OPERATION_QUEUED; s <= OPERATION_INTERRUPTED; s++)
        for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
            op.state = (enum operation_state)s;
            op.exit = causes[i];
            assert_stored(journal, &op); /* each replaces the one before */
        }
    journal_close(journal);
}

static void every_action_comes_back_and_a_signal_with_its_name(void **state)
{
    struct journal *journal = open_journal(*state);
    sqlite3 *db = open_shell(*state);
    struct operation op = an_operation(1, "web", OPERATION_QUEUED);
    char text[128];

    for (int a = ACTION_START; a <= ACTION_SIGNAL; a++) {
        op.action = (enum action)a;
        op.signal = a == ACTION_SIGNAL ? SIGRTMIN + 3 : 0;
        assert_stored(journal, &op);
    }
    op.signal = SIGHUP;
    assert_stored(journal, &op);
    shell_text(db, "SELECT action || ' ' || signal FROM history", text);
    assert_string_equal(text, "signal SIGHUP");
    sqlite3_close(db);
    journal_close(journal);
}

static void a_signal_that_is_not_known_is_named(void **state)
{
    struct journal *journal = open_journal(*state);
    sqlite3 *db = open_shell(*state);
    struct operation op = an_operation(5, "web", OPERATION_QUEUED);
    const char *const words[] = {"'SIGFOO'", "NULL", "''"};
    struct error err = {0};
    enum journal_find found;

    op.action = ACTION_SIGNAL;
    op.signal = SIGHUP;
    assert_int_equal(put(journal, &op, NULL), 0);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char sql[96];

        snprintf(sql, sizeof sql, "UPDATE operations SET signal = %s", words[i]);
        shell(db, sql);
        assert_true(journal_find(journal, 5, &found, &op, &err) < 0);
        assert_non_null(strstr(err.text, "is not a known signal"));
    }
    sqlite3_close(db);
    journal_close(journal);
}

static void bytes_that_are_not_utf8_are_shown_as_such_in_the_output(void **state)
{
    struct journal *journal = open_journal(*state);
    struct operation op = an_operation(1, "web", OPERATION_FAILED), found;
    enum journal_find result;

    string_list_add(&op.output, "a\xff!");
    assert_int_equal(put(journal, &op, NULL), 0);
    assert_int_equal(journal_find(journal, 1, &result, &found, NULL), 0);
    assert_string_equal(found.output.items[0], "a\xef\xbf\xbd!");
    operation_deinit(&found);
    operation_deinit(&op);
    journal_close(journal);
}

static void the_entries_of_one_submission_are_written_together(void **state)
{
    struct journal *journal = open_journal(*state);
    struct operation ops[3];
    struct journal_entry entries[3] = {0};
    struct outcome outcome;

    outcome_init(&outcome);
    for (int i = 0; i < 3; i++) {
        ops[i] = an_operation(i + 1, "web", OPERATION_QUEUED);
        entries[i].operation = &ops[i];
    }
    entries[0].done = outcome_done;
    entries[0].context = &outcome;
    assert_int_equal(journal_submit(journal, entries, 3), 0);
    assert_int_equal(outcome_wait(&outcome), 0);
    for (int i = 1; i <= 3; i++)
        assert_int_equal(find(journal, i), JOURNAL_FOUND);
    journal_close(journal);
}

static void assert_list(struct journal *journal, struct journal_filter filter,
                        const int64_t *expected, size_t count)
{
    struct operation *operations;
    size_t found;

    assert_int_equal(journal_list(journal, &filter, &operations, &found, NULL), 0);
    assert_int_equal(found, count);
    for (size_t i = 0; i < found; i++) {
        assert_int_equal(operations[i].id, expected[i]);
        operation_deinit(&operations[i]);
    }
    free(operations);
}
#define IDS(...) (const int64_t[]){__VA_ARGS__}, sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t)

static void lists_are_newest_first_and_heed_each_filter(void **state)
{
    struct journal *journal = open_journal(*state);

    put_state(journal, 1, "web", OPERATION_SUCCEEDED);
    put_state(journal, 2, "db", OPERATION_FAILED);
    put_state(journal, 3, "web", OPERATION_FAILED);
    put_state(journal, 4, "web", OPERATION_QUEUED);
    put_state(journal, 5, "db", OPERATION_SUCCEEDED);
    assert_list(journal, (struct journal_filter){.state = -1, .limit = 100}, IDS(5, 4, 3, 2, 1));
    assert_list(journal, (struct journal_filter){.state = -1, .limit = 2}, IDS(5, 4));
    assert_list(journal, (struct journal_filter){.state = -1, .limit = 2, .before = 4}, IDS(3, 2));
    assert_list(journal, (struct journal_filter){.service = "web", .state = -1, .limit = 9},
                IDS(4, 3, 1));
    assert_list(
        journal,
        (struct journal_filter){.service = "web", .state = -1, .limit = SIZE_MAX, .before = 4},
        IDS(3, 1));
    assert_list(journal, (struct journal_filter){.state = OPERATION_FAILED, .limit = 9}, IDS(3, 2));
    assert_list(journal,
                (struct journal_filter){.service = "db", .state = OPERATION_FAILED, .limit = 9},
                IDS(2));
    assert_list(journal, (struct journal_filter){.service = "nobody", .state = -1, .limit = 9},
                NULL, 0);
    journal_close(journal);
}

static void put_batched(struct journal *journal, int64_t id, const char *service, int64_t batch,
                        enum operation_state end)
{
    struct operation op = an_operation(id, service, end);

    op.batch = batch;
    assert_int_equal(put(journal, &op, NULL), 0);
}

static void a_batch_is_listed_by_its_id(void **state)
{
    struct journal *journal = open_journal(*state);

    put_batched(journal, 1, "web", 0, OPERATION_FAILED);
    put_batched(journal, 2, "web", 2, OPERATION_FAILED);
    put_batched(journal, 3, "db", 2, OPERATION_SUCCEEDED);
    put_batched(journal, 4, "web", 4, OPERATION_FAILED);
    put_batched(journal, 5, "web", 2, OPERATION_SUCCEEDED);
    assert_list(journal, (struct journal_filter){.batch = 2, .state = -1, .limit = 9},
                IDS(5, 3, 2));
    assert_list(journal, (struct journal_filter){.batch = 2, .state = -1, .limit = 1, .before = 5},
                IDS(3));
    assert_list(journal,
                (struct journal_filter){.batch = 2, .service = "web", .state = -1, .limit = 9},
                IDS(5, 2));
    assert_list(journal,
                (struct journal_filter){.batch = 2, .state = OPERATION_SUCCEEDED, .limit = 9},
                IDS(5, 3));
    assert_list(journal, (struct journal_filter){.batch = 99, .state = -1, .limit = 9}, NULL, 0);
    journal_close(journal);
}

/* ---- keys ---- */

static int put_with_key(struct journal *journal, int64_t id, const char *identity, const char *key)
{
    const struct journal_key used = {identity, key, "POST /restart/web", id, id % 2 == 0};
    struct operation op = an_operation(id, "web", OPERATION_QUEUED);
    struct outcome outcome;
    struct journal_entry entry = {
        .operation = &op, .key = &used, .done = outcome_done, .context = &outcome};

    outcome_init(&outcome);
    assert_int_equal(journal_submit(journal, &entry, 1), 0);
    return outcome_wait(&outcome);
}

/* The operation of the key; 0: there is none. */
static int64_t key_of(struct journal *journal, const char *identity, const char *key)
{
    struct journal_key_found found = {0};
    bool there;

    assert_int_equal(journal_find_key(journal, identity, key, &there, &found, NULL), 0);
    if (!there)
        return 0;
    assert_string_equal(found.request, "POST /restart/web");
    assert_int_equal(found.batch, found.operation % 2 == 0);
    free(found.request);
    return found.operation;
}

static void a_key_is_found_by_its_identity_as_long_as_it_is_kept(void **state)
{
    struct journal *journal = open_journal(*state);

    assert_int_equal(key_of(journal, "uid:0", "k1"), 0);
    assert_int_equal(put_with_key(journal, 1, "uid:0", "k1"), 0);
    assert_int_equal(put_with_key(journal, 2, "token:deploy", "k1"), 0);
    assert_int_equal(key_of(journal, "uid:0", "k1"), 1);
    assert_int_equal(key_of(journal, "token:deploy", "k1"), 2);
    assert_int_equal(key_of(journal, "uid:0", "k2"), 0);
    assert_int_equal(key_of(journal, "uid:1", "k1"), 0);
    journal_close(journal);
    journal = open_journal(*state);
    assert_int_equal(key_of(journal, "uid:0", "k1"), 1);
    journal_close(journal);
}

static void of_two_with_the_same_key_the_second_is_withdrawn_whole(void **state)
{
    const struct journal_key used = {"uid:0", "k1", "POST /start/web", 9, false};
    struct journal *journal = open_journal(*state);
    struct operation ops[2];
    struct outcome outcome;
    struct journal_entry entries[2] = {{.operation = &ops[0]}, {.operation = &ops[1]}};

    assert_int_equal(put_with_key(journal, 1, "uid:0", "k1"), 0);
    for (int i = 0; i < 2; i++)
        ops[i] = an_operation(8 + i, "web", OPERATION_QUEUED);
    outcome_init(&outcome);
    entries[0].done = outcome_done;
    entries[0].context = &outcome;
    entries[1].key = &used;
    assert_int_equal(journal_submit(journal, entries, 2), 0);
    assert_int_equal(outcome_wait(&outcome), -EEXIST);
    assert_int_equal(find(journal, 8), JOURNAL_UNKNOWN);
    assert_int_equal(find(journal, 9), JOURNAL_UNKNOWN);
    assert_int_equal(key_of(journal, "uid:0", "k1"), 1);
    assert_int_equal(put_with_key(journal, 10, "uid:0", "k2"), 0); /* others are not held up */
    journal_close(journal);
}

static void a_key_that_is_too_old_is_not_found_and_may_be_used_again(void **state)
{
    struct journal *journal = open_journal(*state);
    sqlite3 *db = open_shell(*state);

    assert_int_equal(put_with_key(journal, 1, "uid:0", "k1"), 0);
    shell(db, "UPDATE keys SET accepted_utc = accepted_utc - 86390000000"); /* 10 s to go */
    assert_int_equal(key_of(journal, "uid:0", "k1"), 1);
    assert_int_equal(put_with_key(journal, 2, "uid:0", "k1"), -EEXIST);
    shell(db, "UPDATE keys SET accepted_utc = accepted_utc - 11000000");
    assert_int_equal(key_of(journal, "uid:0", "k1"), 0);
    assert_int_equal(put_with_key(journal, 3, "uid:0", "k1"), 0);
    assert_int_equal(key_of(journal, "uid:0", "k1"), 3);
    sqlite3_close(db);
    journal_close(journal);
}

static void an_id_that_was_never_given_is_unknown(void **state)
{
    struct journal *journal = open_journal(*state);

    put_state(journal, 7, "web", OPERATION_SUCCEEDED);
    assert_int_equal(find(journal, 7), JOURNAL_FOUND);
    assert_int_equal(find(journal, 8), JOURNAL_UNKNOWN);
    assert_int_equal(find(journal, 0), JOURNAL_UNKNOWN);
    assert_int_equal(find(journal, -1), JOURNAL_UNKNOWN);
    assert_int_equal(find(journal, 6), JOURNAL_PRUNED); /* it was below one that was given */
    journal_close(journal);
}

static void the_sqlite_shell_reads_while_the_journal_is_open(void **state)
{
    struct journal *journal = open_journal(*state);
    struct service_record service = {"web", {STATE_BACKOFF, GOAL_UP, 6, 2}};
    struct operation op = an_operation(1, "web", OPERATION_TIMED_OUT);
    sqlite3 *db = open_shell(*state);
    char text[128];

    op.accepted_utc = 1795200252518204;
    op.started_utc = op.accepted_utc + 250000;
    op.finished_utc = op.accepted_utc + 1750000;
    op.exit = (struct exit_cause){EXIT_SIGNAL, 9};
    assert_int_equal(put(journal, &op, &service), 0);
    shell(db, "BEGIN; SELECT * FROM operations"); /* stays open: it holds nobody up */
    put_state(journal, 2, "web", OPERATION_QUEUED);
    assert_int_equal(shell_integer(db, "SELECT count(*) FROM operations"), 1);
    shell(db, "COMMIT");
    assert_int_equal(shell_integer(db, "SELECT count(*) FROM operations"), 2);
    shell_text(db,
               "SELECT action || ' ' || state || ' ' || exit || ' ' || accepted || ' ' || seconds"
               " FROM history WHERE id = 1",
               text);
    assert_string_equal(text, "restart timed_out signal SIGKILL 2026-11-20T18:44:12.518Z 1.5");
    shell_text(db, "SELECT state || ' ' || goal || ' ' || generation FROM services", text);
    assert_string_equal(text, "backoff up 6");
    sqlite3_close(db);
    journal_close(journal);
}

struct reading {
    struct journal *journal;
    int found;
};

static void *read_in_a_thread(void *argument)
{
    struct reading *reading = argument;

    reading->found = (int)find(reading->journal, 1);
    return NULL;
}

static void threads_read_by_connections_that_end_with_them(void **state)
{
    struct sandbox *box = *state;
    struct reading reading = {.journal = open_journal(box)};
    int before, after;

    put_state(reading.journal, 1, "web", OPERATION_SUCCEEDED);
    find(reading.journal, 1);
    before = dup(0);
    close(before);
    for (int i = 0; i < 20; i++) {
        pthread_t thread;

        assert_int_equal(thread_start(&thread, "reader", read_in_a_thread, &reading), 0);
        pthread_join(thread, NULL);
        assert_int_equal(reading.found, JOURNAL_FOUND);
    }
    after = dup(0);
    close(after);
    assert_true(after <= before + 3); /* SQLite keeps one for later, it is not one for each */
    journal_close(reading.journal);
    assert_int_equal(sandbox_count(box, "state.db-wal"), 0); /* the last connection has closed */
}

static void pages_that_are_given_back_are_read_again(void **state)
{
    struct journal *journal = open_journal(*state);
    struct operation op = an_operation(1, "web", OPERATION_SUCCEEDED);
    sqlite3_int64 before;

    for (; op.id < 200; op.id++)
        assert_int_equal(put(journal, &op, NULL), 0);
    before = sqlite3_memory_used();
    journal_give_back(journal);
    assert_true(sqlite3_memory_used() < before);
    assert_stored(journal, &op);
    assert_int_equal(find(journal, 1), JOURNAL_FOUND);
    operation_deinit(&op);
    journal_close(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_field_of_an_operation_comes_back),
        TEST(an_operation_with_nothing_optional_comes_back),
        TEST(every_state_and_exit_comes_back),
        TEST(every_action_comes_back_and_a_signal_with_its_name),
        TEST(a_signal_that_is_not_known_is_named),
        TEST(bytes_that_are_not_utf8_are_shown_as_such_in_the_output),
        TEST(the_entries_of_one_submission_are_written_together),
        TEST(lists_are_newest_first_and_heed_each_filter),
        TEST(a_batch_is_listed_by_its_id),
        TEST(a_key_is_found_by_its_identity_as_long_as_it_is_kept),
        TEST(of_two_with_the_same_key_the_second_is_withdrawn_whole),
        TEST(a_key_that_is_too_old_is_not_found_and_may_be_used_again),
        TEST(an_id_that_was_never_given_is_unknown),
        TEST(the_sqlite_shell_reads_while_the_journal_is_open),
        TEST(threads_read_by_connections_that_end_with_them),
        TEST(pages_that_are_given_back_are_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
