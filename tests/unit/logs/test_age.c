/* Files that are set aside for their age, or because somebody asks. */
#include "logs/fixture.h"

#include "age.h"
#include "logs/asked.h"
#include "state.h"

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

/* Waits by following: who reads on in the next file is told of it. */
static void wait_for(struct logs *logs, const char *file)
{
    struct log_reader *reader = open_reader(logs, "web", 0);
    char block[4096];

    while (!exists(&place, file)) {
        struct gate gate;

        gate_init(&gate);
        log_reader_wait(reader, clock_mono_us() + 20 * USEC_PER_MSEC, gate_open, &gate);
        gate_pass(&gate);
        gate_deinit(&gate);
        while (log_reader_read(reader, block, sizeof block) > 0)
            continue;
    }
    log_reader_close(reader);
}

static void a_file_is_set_aside_when_its_first_byte_is_old_though_nothing_comes(void **state)
{
    struct logs *logs = start(&place);
    int out;

    (void)state;
    spec->log_max_age_us = 300 * USEC_PER_MSEC;
    out = open_output(log_fifo(open_spec(logs, spec), STREAM_STDOUT));
    put_text(out, "old\n");
    wait_for(logs, "web.log.1");
    assert_kept(&place, "web.log", "");
    put_text(out, "new\n");
    wait_for(logs, "web.log.2");
    logs_stop(logs);
    close(out);
    assert_kept(&place, "web.log.2", "old\n");
    assert_kept(&place, "web.log.1", "new\n");
    assert_kept(&place, "web.log", "");
}

static void a_line_without_its_end_is_waited_for(void **state)
{
    struct logs *logs = start(&place);
    struct channel *ch;
    struct log *log;
    int out;

    (void)state;
    log = open_spec(logs, spec);
    ch = log_channel(log, STREAM_STDOUT);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    put_text(out, "beg");
    assert_int_equal(ask_to_rotate(logs, "web"), -EBUSY);
    assert_false(exists(&place, "web.log.1"));
    put_text(out, "un\nnext\n");
    assert_int_equal(ask_to_rotate(logs, "web"), 0);
    assert_int_equal(ch->age_at, CLOCK_NEVER);
    logs_stop(logs);
    close(out);
    assert_kept(&place, "web.log.2", "begun\n");
    assert_kept(&place, "web.log.1", "next\n");
    assert_kept(&place, "web.log", "");
}

static void an_empty_file_does_not_age(void **state)
{
    struct logs *logs = start(&place);
    struct log *log;

    (void)state;
    spec->log_max_age_us = USEC_PER_SEC;
    log = open_spec(logs, spec);
    wait_captured(log);
    assert_int_equal(log_channel(log, STREAM_STDOUT)->age_at, CLOCK_NEVER);
    assert_int_equal(logs->age_next, CLOCK_NEVER); /* and nobody wakes for it */
    assert_int_equal(ask_to_rotate(logs, "web"), -ENODATA);
    assert_false(exists(&place, "web.log.1"));
    logs_stop(logs);
}

static void the_age_goes_on_counting_over_a_restart(void **state)
{
    struct logs *logs = start(&place);
    int64_t began = clock_mono_us(), first, second;
    struct channel *ch;
    struct log *log;
    int out;

    (void)state;
    spec->log_max_age_us = 3600 * USEC_PER_SEC;
    log = open_spec(logs, spec);
    ch = log_channel(log, STREAM_STDOUT);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    put_text(out, "some\n");
    wait_captured(log);
    first = ch->age_at;
    assert_true(first >= began + spec->log_max_age_us);
    logs_stop(logs);
    logs = start(&place);
    log = open_spec(logs, spec);
    ch = log_channel(log, STREAM_STDOUT);
    wait_captured(log);
    second = ch->age_at;
    assert_true(second <= first + USEC_PER_SEC); /* it has not begun anew */
    assert_true(second >= began + spec->log_max_age_us - USEC_PER_SEC);
    logs_stop(logs);
    close(out);
}

static void a_shorter_age_is_taken_up_at_once(void **state)
{
    struct logs *logs = start(&place);
    int out;

    (void)state;
    spec->log_max_age_us = 3600 * USEC_PER_SEC;
    out = open_output(log_fifo(open_spec(logs, spec), STREAM_STDOUT));
    put_text(out, "some\n");
    wait_captured(open_spec(logs, spec));
    spec->log_max_age_us = USEC_PER_MSEC;
    open_spec(logs, spec);
    wait_for(logs, "web.log.1");
    logs_stop(logs);
    close(out);
    assert_kept(&place, "web.log.1", "some\n");
}

static void an_asked_rotation_takes_what_was_written_before_it(void **state)
{
    struct logs *logs = start(&place);
    struct log *log;
    int out, error;

    (void)state;
    spec->separate_stderr = true;
    spec->log_timestamps = false;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    error = open_output(log_fifo(log, STREAM_STDERR));
    put_text(out, "one\n");
    put_text(error, "bad\n");
    assert_int_equal(ask_to_rotate(logs, "web"), 0);
    assert_kept(&place, "web.log.1", "one\n");
    assert_kept(&place, "web.err.log.1", "bad\n");
    assert_int_equal(ask_to_rotate(logs, "web"), -ENODATA);
    assert_false(exists(&place, "web.log.2"));
    logs_stop(logs);
    close(out);
    close(error);
}

static void nobody_is_told_so(void **state)
{
    struct logs *logs = start(&place);

    (void)state;
    assert_int_equal(ask_to_rotate(logs, "nobody"), -ENOENT);
    logs_stop(logs);
}

static void a_rotation_that_can_not_be_done_is_told_and_healed(void **state)
{
    struct logs *logs = start(&place);
    struct log_trouble trouble;
    struct log *log;
    char path[160];
    int out;

    (void)state;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    snprintf(path, sizeof path, "%s/web.log.new", place.kept);
    assert_int_equal(mkdir(path, 0755), 0);
    put_text(out, "one\n");
    assert_int_equal(ask_to_rotate(logs, "web"), -EISDIR);
    assert_true(logs_find_trouble(logs, "web", &trouble));
    assert_int_equal(trouble.rotate_error, -EISDIR);
    assert_int_equal(trouble.error, 0);
    assert_int_equal(rmdir(path), 0);
    put_text(out, "two\n");
    assert_int_equal(ask_to_rotate(logs, "web"), 0);
    log_trouble(log, &trouble);
    assert_int_equal(trouble.rotate_error, 0);
    assert_false(logs_find_trouble(logs, "nobody", &trouble));
    logs_stop(logs);
    close(out);
    assert_kept(&place, "web.log.1", "one\ntwo\n");
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_file_is_set_aside_when_its_first_byte_is_old_though_nothing_comes),
        test(a_line_without_its_end_is_waited_for),
        test(an_empty_file_does_not_age),
        test(the_age_goes_on_counting_over_a_restart),
        test(a_shorter_age_is_taken_up_at_once),
        test(an_asked_rotation_takes_what_was_written_before_it),
        test(nobody_is_told_so),
        test(a_rotation_that_can_not_be_done_is_told_and_healed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
