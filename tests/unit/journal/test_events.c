#include "sandbox.h"

#include "group.h"

#include <inttypes.h>

/* The events first to last; "#ID" a line each. */
static struct journal_events a_row(int64_t first, int64_t last, char text[static 256])
{
    int len = 0;

    for (int64_t id = first; id <= last; id++)
        len += snprintf(text + len, (size_t)(256 - len), "#%" PRId64 "\n", id);
    return (struct journal_events){first, last, clock_utc_us(), text};
}

static void put_row(struct journal *journal, int64_t first, int64_t last)
{
    char text[256];
    struct journal_events row = a_row(first, last, text);
    struct outcome outcome;
    struct journal_entry entry = {.events = &row, .done = outcome_done, .context = &outcome};

    outcome_init(&outcome);
    assert_int_equal(journal_submit(journal, &entry, 1), 0);
    assert_int_equal(outcome_wait(&outcome), 0);
}

/* count rows of one event each, from first on, in one transaction. */
static void put_many(struct journal *journal, int64_t first, int count, int64_t at_utc)
{
    struct journal_events *rows = calloc((size_t)count, sizeof *rows);
    struct journal_entry *entries = calloc((size_t)count, sizeof *entries);
    struct outcome outcome;

    outcome_init(&outcome);
    for (int i = 0; i < count; i++) {
        rows[i] = (struct journal_events){first + i, first + i, at_utc, "text\n"};
        entries[i].events = &rows[i];
    }
    entries[0].done = outcome_done;
    entries[0].context = &outcome;
    assert_int_equal(journal_submit(journal, entries, (size_t)count), 0);
    assert_int_equal(outcome_wait(&outcome), 0);
    free(entries);
    free(rows);
}

struct rows {
    char text[1024];
    size_t left;
};

static bool add_text(void *context, char *text)
{
    struct rows *rows = context;

    assert_true(rows->left > 0);
    strcat(rows->text, text);
    text[0] = '\0'; /* it may be written to */
    return --rows->left > 0;
}

static void assert_read(struct journal *journal, int64_t after, size_t most, const char *expected)
{
    struct rows rows = {.left = most};

    assert_int_equal(journal_read_events(journal, after, add_text, &rows, NULL), 0);
    assert_string_equal(rows.text, expected);
}

static void rows_come_back_from_the_one_that_ends_after_the_number(void **state)
{
    struct journal *journal = open_journal(*state);

    assert_read(journal, 0, 10, "");
    put_row(journal, 10, 12);
    put_row(journal, 13, 13);
    put_row(journal, 20, 21);
    assert_read(journal, 0, 10, "#10\n#11\n#12\n#13\n#20\n#21\n");
    assert_read(journal, 11, 10, "#10\n#11\n#12\n#13\n#20\n#21\n");
    assert_read(journal, 12, 10, "#13\n#20\n#21\n");
    assert_read(journal, 12, 1, "#13\n");
    assert_read(journal, 15, 10, "#20\n#21\n");
    assert_read(journal, 21, 10, "");
    journal_close(journal);
}

static void rows_that_were_written_out_of_order_are_read_in_order(void **state)
{
    struct journal *journal = open_journal(*state);
    struct journal_boot boot;

    put_row(journal, 4, 5);
    put_row(journal, 1, 3);
    put_row(journal, 7, 7);
    put_row(journal, 6, 6);
    assert_read(journal, 2, 10, "#1\n#2\n#3\n#4\n#5\n#6\n#7\n");
    journal_close(journal);
    journal = open_journal(*state);
    assert_int_equal(journal_load(journal, &boot, NULL), 0);
    assert_int_equal(boot.last_event, 7);
    journal_boot_deinit(&boot);
    journal_close(journal);
}

static void a_new_journal_knows_no_event(void **state)
{
    struct journal *journal = open_journal(*state);
    struct journal_boot boot;

    assert_int_equal(journal_load(journal, &boot, NULL), 0);
    assert_int_equal(boot.last_event, 0);
    journal_boot_deinit(&boot);
    journal_close(journal);
}

static void events_are_written_with_what_they_were_submitted_with(void **state)
{
    struct operation op = an_operation(1, "web", OPERATION_RUNNING);
    char text[256];
    struct journal_events row = a_row(1, 2, text);
    struct journal_entry entry = {.operation = &op, .events = &row};
    struct journal *journal = open_journal(*state);

    assert_int_equal(journal_submit(journal, &entry, 1), 0);
    put_state(journal, 2, "web", OPERATION_QUEUED); /* behind it */
    assert_int_equal(find(journal, 1), JOURNAL_FOUND);
    assert_read(journal, 0, 1, "#1\n#2\n");
    journal_close(journal);
}

static void only_so_many_events_are_kept_and_the_newest_of_them(void **state)
{
    const int64_t last = JOURNAL_EVENTS + 10001;
    struct journal *journal = open_journal(*state);
    sqlite3 *db = open_shell(*state);

    for (int64_t first = 1; first < last; first += 1000)
        put_many(journal, first, 1000, clock_utc_us());
    put_many(journal, last, 1, clock_utc_us());
    assert_in_range(shell_integer(db, "SELECT count(*) FROM events"), JOURNAL_EVENTS,
                    JOURNAL_EVENTS + 5096);
    assert_int_equal(shell_integer(db, "SELECT max(first) FROM events"), last);
    assert_int_equal(shell_integer(db, "SELECT max(first) - min(first) + 1 - count(*)"
                                       " FROM events"),
                     0);
    sqlite3_close(db);
    journal_close(journal);
    journal = open_journal(*state); /* takes the rest out */
    db = open_shell(*state);
    assert_int_equal(shell_integer(db, "SELECT count(*) FROM events"), JOURNAL_EVENTS);
    sqlite3_close(db);
    journal_close(journal);
}

static void rows_that_hold_many_events_count_for_as_many(void **state)
{
    struct journal *journal = open_journal(*state);
    sqlite3 *db = open_shell(*state);

    for (int64_t first = 1; first < 2 * JOURNAL_EVENTS; first += 250) {
        struct journal_events row = {first, first + 249, clock_utc_us(), "text\n"};

        assert_int_equal(journal_submit(journal, &(struct journal_entry){.events = &row}, 1), 0);
    }
    assert_in_range(shell_integer(db, "SELECT count(*) FROM events"), JOURNAL_EVENTS / 250,
                    (JOURNAL_EVENTS + 5096) / 250);
    assert_int_equal(shell_integer(db, "SELECT max(last) FROM events"), 2 * JOURNAL_EVENTS);
    sqlite3_close(db);
    journal_close(journal);
}

static void old_rows_are_taken_out_but_never_the_newest(void **state)
{
    struct journal_config config = sandbox_config(*state);
    struct journal *journal = open_config(&config);
    struct journal_boot boot;

    put_many(journal, 1, 20, clock_utc_us() - 2 * config.history_age_us);
    journal_close(journal);
    journal = open_config(&config);
    assert_read(journal, 0, 100, "text\n");
    assert_int_equal(journal_load(journal, &boot, NULL), 0);
    assert_int_equal(boot.last_event, 20);
    journal_boot_deinit(&boot);
    journal_close(journal);
}

static void events_are_carried_over_when_the_file_is_made_anew(void **state)
{
    const struct sandbox *box = *state;
    struct journal *journal = open_journal(*state);
    char log[96], index[96];

    put_row(journal, 1, 3);
    snprintf(log, sizeof log, "%s-wal", box->path);
    snprintf(index, sizeof index, "%s-shm", box->path);
    assert_int_equal(unlink(box->path), 0);
    unlink(log);
    unlink(index);
    put_row(journal, 4, 5);
    assert_read(journal, 0, 10, "#1\n#2\n#3\n#4\n#5\n");
    journal_close(journal);
}

/* ---- what is let go ---- */

static void queue(struct list *groups, const struct journal_entry *entry)
{
    struct group *group = group_new(entry, 1);

    assert_non_null(group);
    list_append(groups, &group->link);
}

/* Two operations that are never given up, and between them events that say they are essential. */
static void queue_mixed(struct list *groups)
{
    struct operation op = an_operation(1, "web", OPERATION_SUCCEEDED);
    const struct journal_events row = {1, 1, 1, "text\n"};

    queue(groups, &(struct journal_entry){.operation = &op});
    queue(groups, &(struct journal_entry){.events = &row, .essential = true});
    queue(groups, &(struct journal_entry){.operation = &op, .events = &row});
    queue(groups, &(struct journal_entry){.events = &row});
}

static size_t count_groups(const struct list *groups, bool light)
{
    size_t count = 0;

    list_for_each(link, groups) count += list_entry(link, struct group, link)->light == light;
    return count;
}

static void on_a_full_disk_events_go_and_what_is_never_given_up_stays(void **state)
{
    struct list groups, plain;

    (void)state;
    list_init(&groups);
    list_init(&plain);
    queue_mixed(&groups);
    group_take_plain(&groups, &plain);
    assert_int_equal(count_groups(&groups, false), 2);
    assert_int_equal(count_groups(&groups, true), 0);
    assert_int_equal(count_groups(&plain, true), 2);
    group_finish(&groups, 0);
    group_finish(&plain, 0);
}

static void of_too_much_events_go_first(void **state)
{
    struct list groups, excess;

    (void)state;
    list_init(&groups);
    list_init(&excess);
    queue_mixed(&groups);
    group_take_excess(&groups, 4, &excess);
    assert_true(list_empty(&excess));
    group_take_excess(&groups, 3, &excess);
    assert_int_equal(count_groups(&groups, false), 2);
    assert_int_equal(count_groups(&excess, true), 1);
    group_take_excess(&groups, 1, &excess);
    assert_int_equal(count_groups(&groups, false), 1);
    assert_int_equal(count_groups(&groups, true), 0);
    group_finish(&groups, 0);
    group_finish(&excess, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_come_back_from_the_one_that_ends_after_the_number),
        TEST(rows_that_were_written_out_of_order_are_read_in_order),
        TEST(a_new_journal_knows_no_event),
        TEST(events_are_written_with_what_they_were_submitted_with),
        TEST(only_so_many_events_are_kept_and_the_newest_of_them),
        TEST(rows_that_hold_many_events_count_for_as_many),
        TEST(old_rows_are_taken_out_but_never_the_newest),
        TEST(events_are_carried_over_when_the_file_is_made_anew),
        TEST(on_a_full_disk_events_go_and_what_is_never_given_up_stays),
        TEST(of_too_much_events_go_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
