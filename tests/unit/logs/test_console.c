/* The console: whole lines with names, and nobody waits for it but who is to. */
#include "logs/fixture.h"

#include "logs/asked.h"
#include "logs/tails.h"
#include "state.h"

#include <sched.h>
#include <stdatomic.h>

static struct place place;
static struct service_spec *spec;
static int console[2];
static atomic_int told;

static void count_trouble(void *context, const char *service)
{
    (void)context;
    assert_string_equal(service, "web");
    told++;
}

static struct logs *start_console(void)
{
    return start_with(&place,
                      (struct logs_config){.console = console[1], .trouble = count_trouble});
}

static int set_up(void **state)
{
    (void)state;
    place_open(&place);
    spec = spec_new("web");
    told = 0;
    if (!spec || pipe2(console, O_CLOEXEC) < 0)
        return -1;
    spec->output_target = OUTPUT_CONSOLE;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    spec_unref(spec);
    close(console[0]);
    if (console[1] >= 0)
        close(console[1]);
    place_close(&place);
    return 0;
}

static void read_console(struct text *got, size_t size)
{
    char block[4096];

    while (got->len < size) {
        ssize_t n = read(console[0], block, sizeof block);

        assert_true(n > 0);
        text_append_n(got, block, (size_t)n);
    }
}

/* What is left once all who write have closed it. */
static void read_to_end(struct text *got)
{
    char block[4096];
    ssize_t n;

    close(console[1]);
    console[1] = -1;
    text_append(got, "");
    while ((n = read(console[0], block, sizeof block)) > 0)
        text_append_n(got, block, (size_t)n);
    assert_int_equal(n, 0);
}

static struct log_trouble wait_trouble(struct log *log, bool begun)
{
    int64_t until = clock_mono_us() + LONG;
    struct log_trouble trouble;

    do {
        assert_true(clock_mono_us() < until);
        sched_yield();
        log_trouble(log, &trouble);
    } while ((trouble.error != 0) != begun);
    wait_captured(log); /* it has been told by then, too */
    return trouble;
}

static void lines_are_shown_with_the_service_s_name(void **state)
{
    struct logs *logs = start_console();
    struct text got = {0};
    struct log *log;
    int out, error;

    (void)state;
    spec->separate_stderr = true;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    error = open_output(log_fifo(log, STREAM_STDERR));
    put_text(out, "one\ntwo");
    wait_captured(log);
    put_text(error, "bad\n");
    wait_captured(log);
    put_text(out, " three\nno end");
    assert_tail_of(log, 0, 20, "one|two three|no end|bad");
    logs_stop(logs);
    read_to_end(&got);
    assert_string_equal(got.data, "web | one\nweb ! bad\nweb | two three\nweb | no end\n");
    assert_false(exists(&place, "web.log"));
    text_deinit(&got);
    close(out);
    close(error);
}

static void both_means_both(void **state)
{
    struct logs *logs = start_console();
    struct text got = {0};
    int out;

    (void)state;
    spec->output_target = OUTPUT_BOTH;
    spec->log_max_size = 10;
    out = open_output(log_fifo(open_spec(logs, spec), STREAM_STDOUT));
    put_text(out, "first\nsecond\n");
    logs_stop(logs);
    close(out);
    read_to_end(&got);
    assert_string_equal(got.data, "web | first\nweb | second\n");
    assert_kept(&place, "web.log.1", "first\n");
    assert_kept(&place, "web.log", "second\n");
    text_deinit(&got);
}

static void times_are_shown_too(void **state)
{
    struct logs *logs = start_console();
    struct text got = {0};
    int out;

    (void)state;
    spec->log_timestamps = true;
    out = open_output(log_fifo(open_spec(logs, spec), STREAM_STDOUT));
    put_text(out, "first\n");
    logs_stop(logs);
    close(out);
    read_to_end(&got);
    assert_int_equal(got.len, 6 + 28 + 6);
    assert_memory_equal(got.data, "web | 2", 7);
    assert_string_equal(got.data + 6 + 26, "Z first\n");
    text_deinit(&got);
}

/* Two that flood it, and a reader that checks each line: none is torn, none is missing. */
static void lines_of_several_are_never_mixed(void **state)
{
    enum { LINES = 20000, SIZE = LINE_SIZE + 6 };
    struct logs *logs = start_console();
    struct service_spec *other = spec_new("two");
    int next[2] = {0};
    struct text got = {0};
    pid_t writers[2];

    (void)state;
    other->output_target = OUTPUT_CONSOLE;
    writers[0] = start_writer(log_fifo(open_spec(logs, spec), STREAM_STDOUT), LINES);
    writers[1] = start_writer(log_fifo(open_spec(logs, other), STREAM_STDOUT), LINES);
    read_console(&got, (size_t)2 * LINES * SIZE);
    assert_int_equal(got.len, 2 * LINES * SIZE);
    for (size_t at = 0; at < got.len; at += SIZE) {
        int which = memcmp(got.data + at, "web | ", 6) == 0 ? 0 : 1;
        char line[LINE_SIZE + 1];

        if (which == 1)
            assert_memory_equal(got.data + at, "two | ", 6);
        make_line(line, next[which]++);
        assert_memory_equal(got.data + at + 6, line, LINE_SIZE);
    }
    assert_int_equal(next[0], LINES);
    assert_int_equal(next[1], LINES);
    logs_stop(logs);
    end_process(writers[0]);
    end_process(writers[1]);
    spec_unref(other);
    text_deinit(&got);
}

static void a_console_that_is_full_holds_its_service_and_no_other(void **state)
{
    enum { LINES = 20000 };
    struct logs *logs = start_console();
    struct log *log = open_spec(logs, spec), *other = open_log(logs, "other", 0, 5);
    pid_t writer = start_writer(log_fifo(log, STREAM_STDOUT), LINES);
    int out = open_output(log_fifo(other, STREAM_STDOUT));
    struct log_trouble trouble = wait_trouble(log, true);
    struct text got = {0};

    (void)state;
    assert_int_equal(trouble.error, -EAGAIN);
    put_text(out, "goes on\n");
    assert_tail_of(other, 0, 20, "goes on");
    assert_true(log_position(log) < LINES * LINE_SIZE);
    read_console(&got, (size_t)LINES * (LINE_SIZE + 6));
    trouble = wait_trouble(log, false);
    assert_int_equal(trouble.times, 1);
    assert_int_equal(trouble.dropped_bytes, 0);
    assert_int_equal(told, 2);
    logs_stop(logs);
    end_process(writer);
    close(out);
    text_deinit(&got);
}

static void or_drops_and_says_how_much(void **state)
{
    enum { LINES = 20000 };
    struct log_trouble trouble;
    struct logs *logs = start_console();
    struct text got = {0};
    char said[80];
    struct log *log;
    pid_t writer;
    size_t lines = 0;

    (void)state;
    spec->when_full = WHEN_FULL_DROP;
    log = open_spec(logs, spec);
    writer = start_writer(log_fifo(log, STREAM_STDOUT), LINES);
    while (log_position(log) < LINES * LINE_SIZE) /* it is not held */
        wait_captured(log);
    wait_captured(log);
    trouble = wait_trouble(log, true);
    assert_int_equal(trouble.error, -EAGAIN);
    assert_int_equal(trouble.times, 1);
    assert_true(trouble.dropped_bytes > 0);
    snprintf(said, sizeof said, "web | [orderly: %llu bytes dropped]\n",
             (unsigned long long)trouble.dropped_bytes);
    text_append(&got, "");
    while (!strstr(got.data, "dropped]\n"))
        read_console(&got, got.len + 1);
    assert_non_null(strstr(got.data, said));
    wait_trouble(log, false);
    assert_int_equal(told, 2);
    for (const char *at = got.data; (at = strstr(at, "web | line ")); at++)
        lines++;
    assert_true(lines * LINE_SIZE + trouble.dropped_bytes >= LINES * LINE_SIZE);
    logs_stop(logs);
    end_process(writer);
    text_deinit(&got);
}

/* Both are tried again at the same time, and each may let the other go on. */
static void two_that_have_waited_go_on_together(void **state)
{
    enum { LINES = 20000 };
    struct logs *logs = start_with(&place, (struct logs_config){.console = console[1]});
    struct service_spec *other = spec_new("two");
    struct text got = {0};
    char line[LINE_SIZE + 1], last[LINE_SIZE + 7];
    struct log *first, *second;
    pid_t writers[2];

    (void)state;
    other->output_target = OUTPUT_CONSOLE;
    spec->when_full = WHEN_FULL_DROP;
    first = open_spec(logs, spec);
    second = open_spec(logs, other);
    writers[0] = start_writer(log_fifo(first, STREAM_STDOUT), LINES);
    writers[1] = start_writer(log_fifo(second, STREAM_STDOUT), LINES);
    wait_trouble(first, true);
    wait_trouble(second, true);
    text_append(&got, "");
    make_line(line, LINES - 1);
    snprintf(last, sizeof last, "two | %s", line);
    while (!strstr(got.data, "dropped]\n") || !strstr(got.data, last))
        read_console(&got, got.len + 1);
    wait_trouble(first, false);
    wait_trouble(second, false);
    logs_stop(logs);
    end_process(writers[0]);
    end_process(writers[1]);
    spec_unref(other);
    text_deinit(&got);
}

/* Nobody reads it any more: that is an error, and no signal ends us. */
static void a_console_whose_reader_has_gone_is_trouble(void **state)
{
    struct logs *logs = start_console();
    struct log_trouble trouble;
    struct log *log;
    pid_t writer;

    (void)state;
    spec->when_full = WHEN_FULL_DROP;
    log = open_spec(logs, spec);
    close(console[0]);
    console[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    writer = start_writer(log_fifo(log, STREAM_STDOUT), 20000);
    trouble = wait_trouble(log, true);
    assert_int_equal(trouble.error, -EPIPE);
    logs_stop(logs);
    end_process(writer);
}

static void one_that_is_not_open_is_trouble_too(void **state)
{
    struct logs *logs = start(&place);
    struct log *log;
    pid_t writer;

    (void)state;
    log = open_spec(logs, spec);
    writer = start_writer(log_fifo(log, STREAM_STDOUT), 20000);
    assert_int_equal(wait_trouble(log, true).error, -EBADF);
    spec->output_target = OUTPUT_FILE; /* what was held goes there */
    open_spec(logs, spec);
    wait_trouble(log, false);
    logs_stop(logs);
    end_process(writer);
    assert_true(exists(&place, "web.log"));
}

/* Its offset is shared with the daemon's own log, which goes to the same file. */
static void a_file_as_the_console_is_written_behind_what_is_there(void **state)
{
    struct logs *logs;
    char path[160];
    int file, out;

    (void)state;
    assert_int_equal(mkdir(place.kept, 0755), 0);
    snprintf(path, sizeof path, "%s/console", place.kept);
    file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    put_text(file, "before\n");
    logs = start_with(&place, (struct logs_config){.console = file});
    out = open_output(log_fifo(open_spec(logs, spec), STREAM_STDOUT));
    put_text(out, "said\n");
    logs_stop(logs);
    put_text(file, "after\n");
    close(file);
    close(out);
    assert_kept(&place, "console", "before\nweb | said\nafter\n");
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(lines_are_shown_with_the_service_s_name),
        test(both_means_both),
        test(times_are_shown_too),
        test(lines_of_several_are_never_mixed),
        test(a_console_that_is_full_holds_its_service_and_no_other),
        test(or_drops_and_says_how_much),
        test(two_that_have_waited_go_on_together),
        test(a_console_whose_reader_has_gone_is_trouble),
        test(one_that_is_not_open_is_trouble_too),
        test(a_file_as_the_console_is_written_behind_what_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
