#include "sandbox.h"

#include "group.h"
#include "store.h"
#include "writer.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

/* ---- group commit ---- */

#define SUBMITTERS 16
#define EACH       200

struct submitter {
    struct journal *journal;
    pthread_t thread;
    int64_t first_id;
    struct outcome outcomes[EACH];
};

static void *submit_many(void *argument)
{
    struct submitter *s = argument;

    for (int i = 0; i < EACH; i++) {
        struct operation op = an_operation(s->first_id + i, "web", OPERATION_QUEUED);
        struct journal_entry entry = {
            .operation = &op, .done = outcome_done, .context = &s->outcomes[i]};

        outcome_init(&s->outcomes[i]);
        if (journal_submit(s->journal, &entry, 1) < 0)
            return NULL;
        if (i % 2 == 0) /* every other one does not wait: several of a thread stand queued */
            outcome_wait(&s->outcomes[i]);
    }
    return NULL;
}

static void what_many_threads_submit_is_done_exactly_once_each(void **state)
{
    struct submitter *s = calloc(SUBMITTERS, sizeof *s);
    struct journal *journal = open_journal(*state);
    sqlite3 *db;

    for (int i = 0; i < SUBMITTERS; i++) {
        s[i].journal = journal;
        s[i].first_id = 1 + (int64_t)i * EACH;
        assert_int_equal(thread_start(&s[i].thread, "submitter", submit_many, &s[i]), 0);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        pthread_join(s[i].thread, NULL);
        for (int j = 0; j < EACH; j++)
            assert_int_equal(outcome_wait(&s[i].outcomes[j]), 0);
    }
    journal_close(journal);
    for (int i = 0; i < SUBMITTERS; i++)
        for (int j = 0; j < EACH; j++)
            assert_int_equal(s[i].outcomes[j].calls, 1);
    db = open_shell(*state);
    assert_int_equal(shell_integer(db, "SELECT count(*) FROM operations"), SUBMITTERS * EACH);
    sqlite3_close(db);
    free(s);
}

/* Each thread writes its own operation's states in turn and waits for none but the last: the
 * order is kept when the last one stands. Done calls come in the same order. */
struct series {
    struct journal *journal;
    pthread_t thread;
    int64_t id;
    int next;
    bool in_order;
    struct outcome end;
    struct step {
        struct series *series;
        int number;
    } steps[EACH];
};

static void step_done(void *context, int result)
{
    struct step *step = context;
    struct series *series = step->series;

    series->in_order = series->in_order && step->number == series->next++;
    if (step->number == EACH - 1)
        outcome_done(&series->end, result);
}

static void *submit_series(void *argument)
{
    struct series *s = argument;

    for (int i = 0; i < EACH; i++) {
        struct operation op = an_operation(s->id, "web", OPERATION_RUNNING);
        struct journal_entry entry = {.operation = &op, .done = step_done, .context = &s->steps[i]};

        op.begin_generation = i;
        s->steps[i] = (struct step){s, i};
        if (journal_submit(s->journal, &entry, 1) < 0)
            return NULL;
    }
    return NULL;
}

static void what_one_thread_submits_is_written_and_done_in_its_order(void **state)
{
    struct series *s = calloc(SUBMITTERS, sizeof *s);
    struct journal *journal = open_journal(*state);
    struct operation op;
    enum journal_find found;

    for (int i = 0; i < SUBMITTERS; i++) {
        s[i].journal = journal;
        s[i].id = i + 1;
        s[i].in_order = true;
        outcome_init(&s[i].end);
        assert_int_equal(thread_start(&s[i].thread, "series", submit_series, &s[i]), 0);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        pthread_join(s[i].thread, NULL);
        assert_int_equal(outcome_wait(&s[i].end), 0);
        assert_true(s[i].in_order);
        assert_int_equal(journal_find(journal, s[i].id, &found, &op, NULL), 0);
        assert_int_equal(op.begin_generation, EACH - 1);
        operation_deinit(&op);
    }
    journal_close(journal);
    free(s);
}

/* A done() that submits again must not find itself leading within a leader. */
struct chain {
    struct journal *journal;
    int64_t id;
    struct outcome end;
};

static void submit_next(void *context, int result)
{
    struct chain *chain = context;
    struct operation op = an_operation(++chain->id, "web", OPERATION_QUEUED);
    struct journal_entry entry = {.operation = &op, .done = submit_next, .context = chain};

    if (chain->id > 1000 || result < 0)
        outcome_done(&chain->end, result);
    else
        journal_submit(chain->journal, &entry, 1);
}

static void a_done_may_submit_again(void **state)
{
    struct chain chain = {.journal = open_journal(*state)};

    outcome_init(&chain.end);
    submit_next(&chain, 0);
    assert_int_equal(outcome_wait(&chain.end), 0);
    assert_int_equal(find(chain.journal, 1000), JOURNAL_FOUND);
    assert_int_equal(find(chain.journal, 1001), JOURNAL_UNKNOWN);
    journal_close(chain.journal);
}

/* ---- SQLite cannot write ---- */

static void submit_one(struct journal *journal, int64_t id, int64_t give_up_mono,
                       struct outcome *outcome)
{
    struct operation op = an_operation(id, "web", OPERATION_QUEUED);
    struct journal_entry entry = {
        .operation = &op, .give_up_mono = give_up_mono, .done = outcome_done, .context = outcome};

    outcome_init(outcome);
    assert_int_equal(journal_submit(journal, &entry, 1), 0);
}

static void while_another_holds_the_lock_an_acceptance_is_withdrawn_and_an_end_is_kept(void **state)
{
    struct journal *journal = open_journal(*state);
    sqlite3 *db = open_shell(*state);
    struct outcome kept, given_up, kept_too;
    char text[256];

    shell(db, "BEGIN IMMEDIATE");
    submit_one(journal, 1, 0, &kept);
    submit_one(journal, 2, clock_mono_us() + 20 * USEC_PER_MSEC, &given_up);
    submit_one(journal, 3, 0, &kept_too);
    assert_int_equal(outcome_wait(&given_up), -EBUSY);
    assert_false(journal_writable(journal, text));
    assert_string_equal(text, "another program holds it: database is locked");
    assert_false(outcome_reached(&kept));
    assert_false(outcome_reached(&kept_too));
    shell(db, "COMMIT");
    assert_int_equal(outcome_wait(&kept), 0);
    assert_int_equal(outcome_wait(&kept_too), 0);
    assert_true(journal_writable(journal, text));
    assert_string_equal(text, "ok");
    assert_int_equal(shell_integer(db, "SELECT group_concat(id) = '1,3' FROM operations"), 1);
    sqlite3_close(db);
    journal_close(journal);
}

static void a_later_acceptance_with_a_nearer_end_is_withdrawn_first(void **state)
{
    struct journal *journal = open_journal(*state);
    sqlite3 *db = open_shell(*state);
    struct outcome late, soon;

    shell(db, "BEGIN IMMEDIATE");
    submit_one(journal, 1, clock_mono_us() + 600 * USEC_PER_SEC, &late);
    submit_one(journal, 2, clock_mono_us() + 10 * USEC_PER_MSEC, &soon);
    assert_int_equal(outcome_wait(&soon), -EBUSY);
    assert_false(outcome_reached(&late));
    shell(db, "COMMIT");
    assert_int_equal(outcome_wait(&late), 0);
    sqlite3_close(db);
    journal_close(journal);
}

static void what_comes_after_its_time_is_withdrawn_unwritten(void **state)
{
    struct journal *journal = open_journal(*state);
    struct outcome outcome;

    submit_one(journal, 1, clock_mono_us() - 1, &outcome);
    assert_int_equal(outcome_wait(&outcome), -ETIMEDOUT);
    assert_int_equal(find(journal, 1), JOURNAL_UNKNOWN);
    journal_close(journal);
}

/* ---- a writer whose transaction fails while something else happens ---- */

struct stage {
    struct store store;
    struct writer writer;
    sqlite3 *shell;
    int calls;
    void (*meanwhile)(struct stage *stage);
    int64_t give_up_mono;
};

/* SQLite calls this when it finds the lock taken; the transaction then fails. */
static int on_busy(void *context, int count)
{
    struct stage *stage = context;

    (void)count;
    if (stage->calls++ == 0)
        stage->meanwhile(stage);
    return 0;
}

static void stage_set(struct stage *stage, const struct sandbox *box,
                      void (*meanwhile)(struct stage *stage))
{
    struct journal_config config = sandbox_config(box);
    bool aside;

    *stage = (struct stage){.meanwhile = meanwhile};
    assert_int_equal(store_open(&stage->store, &config, &aside, NULL), 0);
    assert_int_equal(writer_start(&stage->writer, &stage->store, &config, NULL), 0);
    sqlite3_busy_handler(stage->store.db, on_busy, stage);
    stage->shell = open_shell(box);
    shell(stage->shell, "BEGIN IMMEDIATE");
}

static void stage_strike(struct stage *stage)
{
    writer_stop(&stage->writer);
    store_close(&stage->store);
    sqlite3_close(stage->shell);
}

static void stage_submit(struct stage *stage, int64_t begin_generation, struct outcome *outcome)
{
    struct operation op = an_operation(1, "web", OPERATION_QUEUED);
    struct journal_entry entry = {.operation = &op, .give_up_mono = stage->give_up_mono};

    op.begin_generation = begin_generation;
    if (outcome) {
        outcome_init(outcome);
        entry.done = outcome_done;
        entry.context = outcome;
    }
    writer_submit(&stage->writer, group_new(&entry, 1));
}

static void submit_another(struct stage *stage)
{
    stage_submit(stage, 2, NULL);
}

static void what_comes_while_a_transaction_fails_is_written_after_it(void **state)
{
    struct stage stage;
    struct outcome first;

    stage_set(&stage, *state, submit_another);
    stage_submit(&stage, 1, &first);
    assert_true(stage.calls > 0);
    shell(stage.shell, "COMMIT");
    assert_int_equal(outcome_wait(&first), 0);
    assert_int_equal(shell_integer(stage.shell, "SELECT begin_generation FROM operations"), 2);
    stage_strike(&stage);
}

static void let_the_time_pass(struct stage *stage)
{
    while (clock_mono_us() < stage->give_up_mono)
        sched_yield();
}

/* The caller itself withdraws it and leaves nothing queued, but somebody must find out. */
static void a_failure_that_left_nothing_queued_is_found_to_be_over(void **state)
{
    struct stage stage;
    struct outcome outcome;
    char text[256];

    stage_set(&stage, *state, let_the_time_pass);
    stage.give_up_mono = clock_mono_us() + 3 * USEC_PER_SEC; /* it is tried before */
    stage_submit(&stage, 1, &outcome);
    assert_int_equal(outcome_wait(&outcome), -EBUSY);
    assert_false(writer_writable(&stage.writer, text));
    shell(stage.shell, "COMMIT");
    while (!writer_writable(&stage.writer, text))
        sched_yield();
    stage_strike(&stage);
}

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A file that may not grow is a full disk, as far as a write can tell. */
static void a_disk_that_takes_nothing_is_told_of_and_heals_by_itself(void **state)
{
    struct journal *journal = open_journal(*state);
    struct outcome given_up, kept;
    char text[256];

    signal(SIGXFSZ, SIG_IGN);
    limit_file_size(4096);
    submit_one(journal, 1, 0, &kept);
    assert_false(journal_writable(journal, text)); /* at once, unlike a lock */
    assert_non_null(strstr(text, "disk I/O error"));
    submit_one(journal, 2, clock_mono_us() + 10 * USEC_PER_MSEC, &given_up);
    assert_int_equal(outcome_wait(&given_up), -EIO);
    assert_int_equal(find(journal, 1), JOURNAL_UNKNOWN); /* reading goes on */
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(outcome_wait(&kept), 0);
    assert_true(journal_writable(journal, text));
    assert_int_equal(find(journal, 1), JOURNAL_FOUND);
    assert_int_equal(find(journal, 2), JOURNAL_UNKNOWN);
    journal_close(journal);
}

/* Nothing is queued any more, nobody asks: still the thread finds out that it is over. */
static void a_failure_ends_without_anything_to_write(void **state)
{
    struct journal *journal = open_journal(*state);
    sqlite3 *db = open_shell(*state);
    struct outcome given_up;
    char text[256];

    signal(SIGXFSZ, SIG_IGN);
    limit_file_size(4096);
    submit_one(journal, 1, clock_mono_us() + 3 * USEC_PER_SEC, &given_up); /* it is tried before */
    assert_int_equal(outcome_wait(&given_up), -EIO);
    assert_false(journal_writable(journal, text));
    limit_file_size(RLIM_INFINITY);
    while (!journal_writable(journal, text))
        sched_yield();
    assert_int_equal(shell_integer(db, "SELECT count(*) FROM operations"), 0);
    sqlite3_close(db);
    journal_close(journal);
}

static void a_batch_that_fails_half_way_leaves_nothing_behind(void **state)
{
    struct journal *journal = open_journal(*state);
    sqlite3 *db = open_shell(*state);
    struct operation ops[20];
    struct journal_entry entries[20] = {0};
    struct outcome outcome;
    char text[256];

    shell(db, "CREATE TRIGGER refuse BEFORE INSERT ON operations WHEN NEW.id = 15"
              " BEGIN SELECT RAISE(ABORT, 'not this one'); END");
    outcome_init(&outcome);
    for (int i = 0; i < 20; i++) {
        ops[i] = an_operation(i + 1, "web", OPERATION_QUEUED);
        entries[i].operation = &ops[i];
    }
    entries[0].done = outcome_done;
    entries[0].context = &outcome;
    assert_int_equal(journal_submit(journal, entries, 20), 0);
    assert_false(journal_writable(journal, text));
    assert_string_equal(text, "not this one");
    assert_int_equal(shell_integer(db, "SELECT count(*) FROM operations"), 0);
    shell(db, "DROP TRIGGER refuse");
    assert_int_equal(outcome_wait(&outcome), 0);
    assert_int_equal(shell_integer(db, "SELECT count(*) FROM operations"), 20);
    sqlite3_close(db);
    journal_close(journal);
}

/* A service that goes on failing beside a disk that takes nothing must not take the memory. */
static void of_too_many_that_are_kept_the_oldest_go(void **state)
{
    struct journal_entry entry = {0};
    struct list groups, excess;
    struct group *all[5];

    (void)state;
    list_init(&groups);
    list_init(&excess);
    for (int i = 0; i < 5; i++) {
        all[i] = group_new(&entry, 1);
        assert_non_null(all[i]);
        list_append(&groups, &all[i]->link);
    }
    group_take_excess(&groups, 5, &excess);
    assert_true(list_empty(&excess));
    group_take_excess(&groups, 3, &excess);
    assert_ptr_equal(excess.next, &all[0]->link);
    assert_ptr_equal(excess.prev, &all[1]->link);
    assert_ptr_equal(groups.next, &all[2]->link);
    assert_ptr_equal(groups.prev, &all[4]->link);
    group_finish(&groups, 0);
    group_finish(&excess, 0);
}

/* ---- closing ---- */

static void closing_writes_what_is_queued(void **state)
{
    struct journal *journal = open_journal(*state);
    sqlite3 *db = open_shell(*state);
    struct operation op = an_operation(1, "web", OPERATION_QUEUED);
    struct journal_entry entry = {.operation = &op};

    shell(db, "BEGIN IMMEDIATE");
    for (op.id = 1; op.id <= 100; op.id++)
        assert_int_equal(journal_submit(journal, &entry, 1), 0);
    shell(db, "COMMIT");
    journal_close(journal);
    assert_int_equal(shell_integer(db, "SELECT count(*) FROM operations"), 100);
    sqlite3_close(db);
}

static void closing_withdraws_what_cannot_be_written(void **state)
{
    struct journal *journal = open_journal(*state);
    sqlite3 *db = open_shell(*state);
    struct outcome outcome;

    shell(db, "BEGIN IMMEDIATE");
    submit_one(journal, 1, 0, &outcome);
    journal_close(journal);
    assert_int_equal(outcome.calls, 1);
    assert_int_equal(outcome.result, -ECANCELED);
    shell(db, "COMMIT");
    assert_int_equal(shell_integer(db, "SELECT count(*) FROM operations"), 0);
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_many_threads_submit_is_done_exactly_once_each),
        TEST(what_one_thread_submits_is_written_and_done_in_its_order),
        TEST(a_done_may_submit_again),
        TEST(while_another_holds_the_lock_an_acceptance_is_withdrawn_and_an_end_is_kept),
        TEST(a_later_acceptance_with_a_nearer_end_is_withdrawn_first),
        TEST(what_comes_after_its_time_is_withdrawn_unwritten),
        TEST(what_comes_while_a_transaction_fails_is_written_after_it),
        TEST(a_failure_that_left_nothing_queued_is_found_to_be_over),
        TEST(a_disk_that_takes_nothing_is_told_of_and_heals_by_itself),
        TEST(a_failure_ends_without_anything_to_write),
        TEST(a_batch_that_fails_half_way_leaves_nothing_behind),
        TEST(of_too_many_that_are_kept_the_oldest_go),
        TEST(closing_writes_what_is_queued),
        TEST(closing_withdraws_what_cannot_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
