/* Positions in the stream, and the last lines since one. */
#include "logs/fixture.h"

#include "logs/tails.h"

#include <stdatomic.h>
#include <sys/resource.h>

static struct place place;
static struct logs *logs;
static struct log *logfile;
static int output;

static int set_up(void **state)
{
    (void)state;
    place_open(&place);
    logs = start(&place);
    logfile = open_log(logs, "web", 0, 5);
    output = open_output(log_fifo(logfile, STREAM_STDOUT));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    logs_stop(logs);
    close(output);
    place_close(&place);
    return 0;
}

static void assert_tail(int64_t since, size_t count, const char *expected)
{
    assert_tail_of(logfile, since, count, expected);
}

static void what_is_still_in_the_fifo_belongs_to_it(void **state)
{
    (void)state;
    put_text(output, "one\ntwo\n");
    assert_tail(0, 20, "one|two");
}

static void only_what_came_since_then_is_given(void **state)
{
    int64_t since;

    (void)state;
    put_text(output, "old\nold without an end");
    since = log_position(logfile);
    assert_int_equal(since, 22);
    assert_tail(since, 20, "");
    put_text(output, "new\nnewer\n");
    assert_tail(since, 20, "new|newer");
    assert_int_equal(log_position(logfile), 32);
    assert_tail(0, 2, "old without an endnew|newer");
}

static void the_last_line_may_lack_its_end(void **state)
{
    (void)state;
    put_text(output, "one\ntwo\n\nthree");
    assert_tail(0, 3, "two||three");
    assert_tail(0, 0, "");
}

static void long_lines_are_cut_and_a_nul_is_shown(void **state)
{
    char line[3000], expected[1100];

    (void)state;
    memset(line, 'x', sizeof line);
    line[0] = '\0';
    put_text(output, "first\n");
    put(output, line, sizeof line);
    put_text(output, "\nlast\n");
    memset(expected, 'x', sizeof expected);
    expected[0] = '?';
    strcpy(expected + 1000, "|last");
    assert_tail(0, 2, expected);
}

static void it_reaches_back_over_a_rotation(void **state)
{
    (void)state;
    open_log(logs, "web", 8, 5);
    put_text(output, "one\ntwo\nthree\nfour\nfive\n");
    assert_tail(4, 20, "two|three|four|five");
    assert_tail(0, 2, "four|five");
}

static void it_counts_from_this_daemon_on(void **state)
{
    (void)state;
    put_text(output, "of the last daemon\n");
    logs_stop(logs);
    logs = start(&place);
    logfile = open_log(logs, "web", 0, 5);
    assert_int_equal(log_position(logfile), 0);
    put_text(output, "of this one\n");
    assert_tail(0, 20, "of this one");
}

static void it_is_answered_when_the_logs_stop(void **state)
{
    struct answer a, b;

    (void)state;
    put_text(output, "last words\n");
    ask_of(logfile, &a, 0, 20);
    ask_of(logfile, &b, 5, 20);
    logs_stop(logs);
    assert_int_equal(a.gate.count, 1);
    assert_int_equal(b.gate.count, 1);
    assert_answer(&a, "last words");
    assert_answer(&b, "words");
    logs = start(&place);
}

/* "No space left on device" may be just what the service has said. */
static void what_can_not_be_written_is_given_all_the_same(void **state)
{
    struct rlimit old, low;
    int64_t since;

    (void)state;
    put_text(output, "one\ntwo\n");
    assert_tail(0, 20, "one|two");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = (struct rlimit){.rlim_cur = 8, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    put_text(output, "thr");
    since = log_position(logfile);
    put_text(output, "ee\nfour\n");
    assert_int_equal(since, 11);
    assert_tail(since, 20, "ee|four");
    assert_tail(0, 3, "two|three|four");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_tail(0, 3, "two|three|four");
    assert_int_equal(log_position(logfile), 19);
}

struct flood {
    atomic_long begun, written;
    long end;
};

static void *write_on(void *argument)
{
    struct flood *f = argument;
    char block[100];

    memset(block, 'x', sizeof block);
    block[99] = '\n';
    while (f->written < f->end) {
        f->begun += (long)sizeof block;
        put(output, block, sizeof block);
        f->written += (long)sizeof block;
    }
    return NULL;
}

/* Neither what is being moved from the FIFO to the file is missed nor is it counted twice. */
static void a_position_is_exact_in_the_middle_of_a_flood(void **state)
{
    struct flood f = {.end = 20000000};
    pthread_t writer;
    int64_t last = 0;

    (void)state;
    open_log(logs, "web", 100000, 2);
    assert_int_equal(thread_start(&writer, "writer", write_on, &f), 0);
    while (last < f.end) {
        long written = f.written;
        int64_t position = log_position(logfile);
        long begun = f.begun;

        assert_true(position >= written);
        assert_true(position <= begun);
        assert_true(position >= last);
        last = position;
    }
    pthread_join(writer, NULL);
    assert_int_equal(log_position(logfile), f.end);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(what_is_still_in_the_fifo_belongs_to_it),
        test(only_what_came_since_then_is_given),
        test(the_last_line_may_lack_its_end),
        test(long_lines_are_cut_and_a_nul_is_shown),
        test(it_reaches_back_over_a_rotation),
        test(it_counts_from_this_daemon_on),
        test(it_is_answered_when_the_logs_stop),
        test(what_can_not_be_written_is_given_all_the_same),
        test(a_position_is_exact_in_the_middle_of_a_flood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
