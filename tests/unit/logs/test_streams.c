/* stderr apart, targets, and times before lines: what ends up where. */
#include "logs/fixture.h"

#include "logs/tails.h"
#include "state.h"

#include <sched.h>

static struct place place;
static struct service_spec *spec;

static int set_up(void **state)
{
    (void)state;
    place_open(&place);
    spec = spec_new("web");
    return spec ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    spec_unref(spec);
    place_close(&place);
    return 0;
}

static void a_separate_stderr_has_a_fifo_and_files_of_its_own(void **state)
{
    struct logs *logs = start(&place);
    struct log *log;
    int out, error;

    (void)state;
    spec->separate_stderr = true;
    spec->log_max_size = 8;
    log = open_spec(logs, spec);
    assert_non_null(strstr(log_fifo(log, STREAM_STDERR), "/web/err"));
    out = open_output(log_fifo(log, STREAM_STDOUT));
    error = open_output(log_fifo(log, STREAM_STDERR));
    put_text(out, "said\n");
    put_text(error, "first\nsecond\n");
    logs_stop(logs);
    close(out);
    close(error);
    assert_kept(&place, "web.log", "said\n");
    assert_false(exists(&place, "web.log.1"));
    assert_kept(&place, "web.err.log.1", "first\n");
    assert_kept(&place, "web.err.log", "second\n");
}

static void a_merged_one_has_none(void **state)
{
    struct logs *logs = start(&place);

    (void)state;
    assert_null(log_fifo(open_spec(logs, spec), STREAM_STDERR));
    logs_stop(logs);
    assert_false(exists(&place, "web.err.log"));
}

/* An instance that has it may live on after the configuration was changed, and the daemon died. */
static void an_err_fifo_that_was_made_is_read_even_when_merged_since(void **state)
{
    struct logs *logs = start(&place);
    struct log *log;
    int error;

    (void)state;
    spec->separate_stderr = true;
    log = open_spec(logs, spec);
    error = open_output(log_fifo(log, STREAM_STDERR));
    spec->separate_stderr = false;
    assert_ptr_equal(open_spec(logs, spec), log);
    assert_null(log_fifo(log, STREAM_STDERR));
    put_text(error, "one\n");
    logs_stop(logs);
    put_text(error, "two\n");
    logs = start(&place);
    open_spec(logs, spec);
    put_text(error, "three\n");
    logs_stop(logs);
    close(error);
    assert_kept(&place, "web.err.log", "one\ntwo\nthree\n");
}

static void the_tail_gives_stderr_behind_stdout(void **state)
{
    struct logs *logs = start(&place);
    struct log *log;
    int out, error;
    int64_t since;

    (void)state;
    spec->separate_stderr = true;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    error = open_output(log_fifo(log, STREAM_STDERR));
    put_text(out, "old out\n");
    put_text(error, "old error\n");
    since = log_position(log);
    put_text(error, "bad\n");
    put_text(out, "good\nno end");
    assert_tail_of(log, since, 20, "good|no end|bad");
    assert_tail_of(log, since, 2, "no end|bad");
    assert_tail_of(log, 0, 20, "old out|good|no end|old error|bad");
    logs_stop(logs);
    close(out);
    close(error);
}

/* Only so many are remembered; what is asked about may then begin too late, never too early. */
static void a_forgotten_position_shows_nothing_that_is_older(void **state)
{
    struct logs *logs = start(&place);
    struct log *log;
    int out, error;
    int64_t since;

    (void)state;
    spec->separate_stderr = true;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    error = open_output(log_fifo(log, STREAM_STDERR));
    put_text(error, "old\n");
    since = log_position(log);
    for (int i = 0; i < 2 * MARKS; i++) {
        put_text(out, "x\n");
        put_text(error, "y\n");
        log_position(log);
    }
    put_text(error, "new\n");
    /* The oldest that is remembered: MARKS - 1 of each have come since then. */
    assert_tail_of(log, since, 500,
                   "x|x|x|x|x|x|x|x|x|x|x|x|x|x|x|y|y|y|y|y|y|y|y|y|y|y|y|y|y|y|new");
    logs_stop(logs);
    close(out);
    close(error);
}

static void a_follower_of_one_stream_is_told_of_that_one(void **state)
{
    struct logs *logs = start(&place);
    struct log_reader *reader;
    struct text got = {0};
    struct log *log;
    int error;

    (void)state;
    spec->separate_stderr = true;
    log = open_spec(logs, spec);
    reader = open_stream(logs, "web", STREAM_STDERR, 0);
    error = open_output(log_fifo(log, STREAM_STDERR));
    put_text(error, "bad\n");
    follow(reader, &got, 4);
    assert_string_equal(got.data, "bad\n");
    text_deinit(&got);
    log_reader_close(reader);
    logs_stop(logs);
    close(error);
}

static void none_keeps_nothing_and_holds_nobody(void **state)
{
    enum { LINES = 10000 }; /* far more than the FIFO holds */
    struct logs *logs = start(&place);
    char line[LINE_SIZE + 1];
    struct log *log;
    int out;

    (void)state;
    spec->output_target = OUTPUT_NONE;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    for (int i = 0; i < LINES; i++) {
        make_line(line, i);
        put(out, line, LINE_SIZE);
    }
    assert_tail_of(log, 0, 20, "");
    assert_int_equal(log_position(log), LINES * LINE_SIZE);
    logs_stop(logs);
    close(out);
    assert_false(exists(&place, "web.log"));
}

static void a_new_target_is_taken_up_at_once(void **state)
{
    struct logs *logs = start(&place);
    struct log_reader *reader;
    struct text got = {0};
    struct log *log;
    int out;

    (void)state;
    spec->output_target = OUTPUT_NONE;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    put_text(out, "lost\n");
    assert_tail_of(log, 0, 20, "");
    spec->output_target = OUTPUT_FILE;
    open_spec(logs, spec);
    put_text(out, "kept\n");
    assert_tail_of(log, 5, 20, "kept");
    reader = open_reader(logs, "web", SIZE_MAX);
    follow(reader, &got, 5);
    assert_string_equal(got.data, "kept\n");
    spec->output_target = OUTPUT_NONE;
    open_spec(logs, spec);
    put_text(out, "lost again\n");
    logs_stop(logs);
    close(out);
    assert_kept(&place, "web.log", "kept\n");
    log_reader_close(reader);
    text_deinit(&got);
}

/* The lines without their times; each must have one, and none may be before the last. */
static void take_times_off(const struct text *stamped, struct text *plain)
{
    char last[29] = "";

    text_append(plain, "");
    for (const char *at = stamped->data; *at;) {
        const char *end = strchr(at, '\n');

        assert_non_null(end);
        assert_true(end - at >= 28);
        assert_int_equal(at[10], 'T');
        assert_int_equal(at[19], '.');
        assert_memory_equal(at + 26, "Z ", 2);
        assert_true(memcmp(last, at, 27) <= 0);
        memcpy(last, at, 27);
        text_append_n(plain, at + 28, (size_t)(end - at) + 1 - 28);
        at = end + 1;
    }
}

static void lines_get_their_time_and_files_their_size(void **state)
{
    enum { LINES = 3000, LIMIT = 20000 };
    struct logs *logs = start(&place);
    struct text got = {0}, plain = {0};
    struct log_reader *reader;
    struct log *log;
    pid_t writer;

    (void)state;
    spec->log_timestamps = true;
    spec->log_max_size = LIMIT;
    spec->log_max_files = 100;
    log = open_spec(logs, spec);
    reader = open_reader(logs, "web", 0);
    writer = start_writer(log_fifo(log, STREAM_STDOUT), LINES);
    follow(reader, &got, (size_t)LINES * (LINE_SIZE + 28));
    take_times_off(&got, &plain);
    assert_lines(&plain, 0, LINES);
    log_reader_close(reader);
    logs_stop(logs);
    end_process(writer);
    got.len = 0;
    read_one(&place, "web.log.3", &got);
    assert_true(got.len <= LIMIT && got.len > LIMIT - 2 * (LINE_SIZE + 28));
    assert_int_equal(got.data[got.len - 1], '\n');
    text_deinit(&got);
    text_deinit(&plain);
}

static void a_line_in_pieces_gets_its_time_once(void **state)
{
    struct logs *logs = start(&place);
    struct text got = {0}, plain = {0};
    struct log *log;
    int out;

    (void)state;
    spec->log_timestamps = true;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    put_text(out, "one");
    assert_tail_of(log, 0, 20, "one");
    put_text(out, " line\ntwo");
    assert_tail_of(log, 0, 20, "one line|two");
    logs_stop(logs);
    logs = start(&place);
    open_spec(logs, spec);
    put_text(out, " lines\n");
    logs_stop(logs);
    close(out);
    read_one(&place, "web.log", &got);
    take_times_off(&got, &plain);
    assert_string_equal(plain.data, "one line\ntwo lines\n");
    text_deinit(&got);
    text_deinit(&plain);
}

/* Kills as it likes: nothing may be missing, and what is double is no more than a portion. */
static void a_killed_daemon_with_timestamps_loses_nothing(void **state)
{
    enum { LINES = 60000, TIMES = 12, PORTION = 65536 };
    bool *seen = calloc(LINES, sizeof *seen);
    size_t doubled = 0, missing = 0;
    struct text got = {0};
    char *fifo;
    struct logs *logs = start(&place);
    struct log_reader *reader;
    pid_t writer;
    int hold;

    (void)state;
    assert_non_null(seen);
    spec->log_timestamps = true;
    spec->log_max_size = 0;
    fifo = strdup(log_fifo(open_spec(logs, spec), STREAM_STDOUT));
    assert_non_null(fifo);
    logs_stop(logs);
    hold = open_output(fifo);
    writer = start_writer(fifo, LINES);
    for (int i = 0; i < TIMES; i++) {
        pid_t pid = fork_child();
        int status;

        if (pid == 0) {
            struct text some = {0};

            logs = start(&place);
            open_spec(logs, spec);
            follow(open_reader(logs, "web", 0), &some, (size_t)(5000 + i * 977));
            raise(SIGKILL);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    logs = start(&place);
    open_spec(logs, spec);
    reader = open_reader(logs, "web", SIZE_MAX);
    while (!strstr(got.data && got.len > 400 ? got.data + got.len - 400 : "", "0059999\n")) {
        follow(reader, &got, got.len + 1);
        assert_true(got.len < (size_t)2 * LINES * (LINE_SIZE + 28));
    }
    log_reader_close(reader);
    logs_stop(logs);
    end_process(writer);
    close(hold);
    for (const char *at = got.data; (at = strstr(at, "line 0")); at++) {
        unsigned long number = strtoul(at + 5, NULL, 10);

        assert_true(number < LINES);
        doubled += seen[number];
        seen[number] = true;
    }
    for (int i = 0; i < LINES; i++)
        missing += !seen[i];
    assert_int_equal(missing, 0);
    assert_true(doubled <= TIMES * PORTION / LINE_SIZE);
    text_deinit(&got);
    free(fifo);
    free(seen);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_separate_stderr_has_a_fifo_and_files_of_its_own),
        test(a_merged_one_has_none),
        test(an_err_fifo_that_was_made_is_read_even_when_merged_since),
        test(the_tail_gives_stderr_behind_stdout),
        test(a_forgotten_position_shows_nothing_that_is_older),
        test(a_follower_of_one_stream_is_told_of_that_one),
        test(none_keeps_nothing_and_holds_nobody),
        test(a_new_target_is_taken_up_at_once),
        test(lines_get_their_time_and_files_their_size),
        test(a_line_in_pieces_gets_its_time_once),
        test(a_killed_daemon_with_timestamps_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
