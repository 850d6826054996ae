/* Reading for people: from the right line on, over rotations, and waiting for more. */
#include "logs/fixture.h"

static struct place place;
static struct logs *logs;

static int set_up(void **state)
{
    (void)state;
    place_open(&place);
    logs = start(&place);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    logs_stop(logs);
    place_close(&place);
    return 0;
}

static void assert_read(const char *name, size_t lines, const char *expected)
{
    struct log_reader *reader = open_reader(logs, name, lines);
    struct text got = {0};

    text_append(&got, "");
    read_rest(reader, &got);
    assert_string_equal(got.data, expected);
    text_deinit(&got);
    log_reader_close(reader);
}

static void it_begins_so_many_lines_before_the_end(void **state)
{
    (void)state;
    write_one(&place, "web.log.2", "one\n");
    write_one(&place, "web.log.1", "two\nthree\n");
    write_one(&place, "web.log", "four\n\nfive");
    assert_read("web", 0, "");
    assert_read("web", 1, "five");
    assert_read("web", 2, "\nfive");
    assert_read("web", 3, "four\n\nfive");
    assert_read("web", 4, "three\nfour\n\nfive");
    assert_read("web", 5, "two\nthree\nfour\n\nfive");
    assert_read("web", 6, "one\ntwo\nthree\nfour\n\nfive");
    assert_read("web", 7, "one\ntwo\nthree\nfour\n\nfive");
    assert_read("web", SIZE_MAX, "one\ntwo\nthree\nfour\n\nfive");
    write_one(&place, "web.log", ""); /* just rotated */
    assert_read("web", 1, "three\n");
}

static void it_goes_back_over_lines_longer_than_a_block(void **state)
{
    enum { SIZE = 100000 };
    struct text content = {0};

    (void)state;
    for (int line = 0; line < 3; line++) {
        for (int i = 0; i < SIZE; i++)
            text_append_n(&content, "x", 1);
        text_append(&content, "\n");
    }
    write_one(&place, "web.log", content.data);
    assert_read("web", 2, content.data + SIZE + 1);
    assert_read("web", 4, content.data);
    text_deinit(&content);
}

static void a_service_without_a_log_has_none(void **state)
{
    struct log_reader *reader;
    struct error err = {0};

    (void)state;
    assert_int_equal(log_reader_open(logs, "web", STREAM_STDOUT, 0, &reader, &err), -ENOENT);
    assert_string_equal(err.text, "web has no log yet");
    open_log(logs, "web", 0, 5);
    assert_read("web", 10, "");
}

static void a_name_can_not_lead_out_of_the_folder(void **state)
{
    struct log_reader *reader;
    struct error err = {0};

    (void)state;
    write_one(&place, "../outside.log", "secret\n");
    assert_int_equal(log_reader_open(logs, "../outside", STREAM_STDOUT, 9, &reader, &err), -ENOENT);
}

static void it_follows_over_every_rotation(void **state)
{
    enum { LINES = 40000 };
    struct log *log = open_log(logs, "web", 4000, 1000);
    struct log_reader *reader = open_reader(logs, "web", 0), *late = open_reader(logs, "web", 0);
    pid_t writer = start_writer(log_fifo(log, STREAM_STDOUT), LINES);
    struct text got = {0};

    (void)state;
    follow(reader, &got, (size_t)LINES * LINE_SIZE);
    assert_lines(&got, 0, LINES);
    assert_true(exists(&place, "web.log.300"));
    text_clear(&got);
    read_rest(late, &got); /* stands in a file that has been renamed hundreds of times */
    assert_lines(&got, 0, LINES);
    end_process(writer);
    text_deinit(&got);
    log_reader_close(late);
    log_reader_close(reader);
}

static void pass(void *context, const struct string_list *lines)
{
    (void)lines;
    gate_open(context);
}

/* Returns when all that was written is in the files. */
static void settle(struct log *log)
{
    struct gate gate;

    gate_init(&gate);
    assert_int_equal(log_tail(log, 0, 0, pass, &gate), 0);
    gate_pass(&gate);
    gate_deinit(&gate);
}

static void one_that_fell_behind_goes_on_in_the_oldest_file(void **state)
{
    struct log *log = open_log(logs, "web", 10, 2);
    struct log_reader *reader = open_reader(logs, "web", 0);
    int fd = open_output(log_fifo(log, STREAM_STDOUT));
    struct text got = {0};

    (void)state;
    put_text(fd, "one\n");
    follow(reader, &got, 4);
    put_text(fd, "two\nthree\nfour\nfive\nsix\nseven\neight\n");
    settle(log); /* one two|three|four five|six seven|eight: the last three files are kept */
    text_clear(&got);
    read_rest(reader, &got);
    assert_string_equal(got.data,
                        "two\nfour\nfive\nsix\nseven\neight\n"); /* two: it held that file */
    close(fd);
    text_deinit(&got);
    log_reader_close(reader);
}

static void a_wait_ends_at_its_time(void **state)
{
    struct log_reader *reader;
    int64_t until = clock_mono_us() + 30 * USEC_PER_MSEC;
    struct gate early, late;

    (void)state;
    open_log(logs, "web", 0, 5);
    reader = open_reader(logs, "web", 0);
    gate_init(&early);
    gate_init(&late);
    log_reader_wait(reader, CLOCK_NEVER, gate_open, &late);
    log_reader_wait(reader, until, gate_open, &early);
    gate_pass(&early);
    assert_true(clock_mono_us() >= until);
    assert_int_equal(late.count, 0);
    log_reader_wait(reader, until, gate_open, &early); /* has passed: at once */
    assert_int_equal(early.count, 2);
    logs_stop(logs);
    assert_int_equal(early.count, 2);
    assert_int_equal(late.count, 1); /* by the stop */
    log_reader_close(reader);
    gate_deinit(&early);
    gate_deinit(&late);
    logs = start(&place);
}

static void a_wait_ends_at_once_when_there_is_more(void **state)
{
    struct log_reader *reader;
    struct gate gate;

    (void)state;
    write_one(&place, "web.log", "more\n");
    reader = open_reader(logs, "web", 1);
    gate_init(&gate);
    log_reader_wait(reader, CLOCK_NEVER, gate_open, &gate);
    assert_int_equal(gate.count, 1);
    log_reader_close(reader);
    gate_deinit(&gate);
}

static void a_wait_for_a_service_that_is_opened_later_is_ended_by_its_output(void **state)
{
    struct log_reader *reader;
    struct gate gate;
    int fd;

    (void)state;
    write_one(&place, "web.log", "old\n");
    reader = open_reader(logs, "web", 0);
    gate_init(&gate);
    log_reader_wait(reader, CLOCK_NEVER, gate_open, &gate);
    fd = open_output(log_fifo(open_log(logs, "web", 0, 5), STREAM_STDOUT));
    assert_int_equal(gate.count, 0);
    put_text(fd, "new\n");
    gate_pass(&gate);
    assert_read("web", SIZE_MAX, "old\nnew\n");
    close(fd);
    log_reader_close(reader);
    gate_deinit(&gate);
}

/* Each end of a wait comes while another thread asks for the next. */
static void many_readers_wait_at_once(void **state)
{
    enum { READERS = 20, LINES = 2000 };
    struct log *log = open_log(logs, "web", 10000, 100);
    struct log_reader *readers[READERS];
    struct text got[READERS] = {0};
    pid_t writer;

    (void)state;
    for (int i = 0; i < READERS; i++)
        readers[i] = open_reader(logs, "web", 0);
    writer = start_writer(log_fifo(log, STREAM_STDOUT), LINES);
    for (size_t lines = 1; lines <= LINES; lines += 13)
        for (int i = 0; i < READERS; i++)
            follow(readers[i], &got[i], lines * LINE_SIZE);
    for (int i = 0; i < READERS; i++) {
        follow(readers[i], &got[i], (size_t)LINES * LINE_SIZE);
        assert_lines(&got[i], 0, LINES);
        text_deinit(&got[i]);
        log_reader_close(readers[i]);
    }
    end_process(writer);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(it_begins_so_many_lines_before_the_end),
        test(it_goes_back_over_lines_longer_than_a_block),
        test(a_service_without_a_log_has_none),
        test(a_name_can_not_lead_out_of_the_folder),
        test(it_follows_over_every_rotation),
        test(one_that_fell_behind_goes_on_in_the_oldest_file),
        test(a_wait_ends_at_its_time),
        test(a_wait_ends_at_once_when_there_is_more),
        test(a_wait_for_a_service_that_is_opened_later_is_ended_by_its_output),
        test(many_readers_wait_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
