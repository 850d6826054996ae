/* A disk that is full: what waits, what is dropped, what is said of it, and that it heals. */
#include "logs/fixture.h"

#include "logs/asked.h"
#include "logs/tails.h"
#include "state.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>

#define LIMIT 50000

static struct place place;
static struct service_spec *spec;
static struct rlimit old_limit;
static atomic_int told;

static void count_trouble(void *context, const char *service)
{
    (void)context;
    assert_string_equal(service, "web");
    told++;
}

static struct logs *start_told(void)
{
    return start_with(&place, (struct logs_config){.console = -1, .trouble = count_trouble});
}

static int set_up(void **state)
{
    (void)state;
    place_open(&place);
    told = 0;
    spec = spec_new("web");
    return spec ? getrlimit(RLIMIT_FSIZE, &old_limit) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    spec_unref(spec);
    place_close(&place);
    return setrlimit(RLIMIT_FSIZE, &old_limit); /* a test that failed may have left it low */
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

/* Takes what is dropped out of it, and gives how much that was. */
static unsigned long long take_notes_out(const struct text *got, struct text *rest, int *ret_notes)
{
    unsigned long long sum = 0, one;
    const char *at = got->data, *next;

    *ret_notes = 0;
    text_append(rest, "");
    for (; (next = strstr(at, "[orderly: ")); at = strchr(next, '\n') + 1) {
        assert_true(next == got->data || next[-1] == '\n');
        assert_int_equal(sscanf(next, "[orderly: %llu bytes dropped]\n", &one), 1);
        text_append_n(rest, at, (size_t)(next - at));
        sum += one;
        ++*ret_notes;
    }
    text_append(rest, at);
    return sum;
}

/* Writes more than can be kept, which holds nobody; heals it, and finds what was dropped said. */
static void drop_on_a_full_disk(void (*heal)(void *context), void *context)
{
    enum { LINES = 10000 };
    struct logs *logs;
    struct text got = {0}, rest = {0};
    struct log_trouble trouble;
    unsigned long long said;
    struct log *log;
    int out, notes;
    char line[LINE_SIZE + 1];

    logs = start_told();
    spec->when_full = WHEN_FULL_DROP;
    spec->log_max_size = 0;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    for (int i = 0; i < LINES; i++) {
        make_line(line, i);
        put(out, line, LINE_SIZE);
    }
    wait_captured(log);
    trouble = wait_trouble(log, true);
    assert_true(trouble.error == -EFBIG || trouble.error == -ENOSPC);
    assert_int_equal(trouble.times, 1);
    assert_true(trouble.dropped_bytes > 0);
    assert_int_equal(log_position(log), LINES * LINE_SIZE);
    assert_int_equal(told, 1);
    heal(context);
    trouble = wait_trouble(log, false);
    assert_int_equal(told, 2);
    put_text(out, "after\n");
    assert_tail_of(log, (int64_t)LINES * LINE_SIZE, 20, "after");
    logs_stop(logs);
    close(out);
    read_one(&place, "web.log", &got);
    said = take_notes_out(&got, &rest, &notes);
    assert_int_equal(notes, 1);
    assert_int_equal(said, trouble.dropped_bytes);
    assert_int_equal(trouble.times, 1);
    /* What was cut off by it has its end before the note. */
    assert_true(rest.len - 6 - (LINES * LINE_SIZE - said) <= 1);
    assert_string_equal(rest.data + rest.len - 6, "after\n");
    text_deinit(&got);
    text_deinit(&rest);
}

static void lower_limit(void)
{
    struct rlimit low = {.rlim_cur = LIMIT, .rlim_max = old_limit.rlim_max};

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
}

static void raise_limit(void *context)
{
    (void)context;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
}

static void what_is_dropped_is_counted_and_said_once(void **state)
{
    (void)state;
    lower_limit();
    drop_on_a_full_disk(raise_limit, NULL);
}

static void with_timestamps_too(void **state)
{
    enum { LINES = 3000 };
    struct logs *logs;
    struct text got = {0};
    struct log_trouble trouble;
    struct log *log;
    pid_t writer;

    (void)state;
    lower_limit();
    logs = start_told();
    spec->log_timestamps = true;
    log = open_spec(logs, spec);
    writer = start_writer(log_fifo(log, STREAM_STDOUT), LINES);
    trouble = wait_trouble(log, true);
    assert_int_equal(trouble.error, -EFBIG);
    raise_limit(NULL);
    wait_trouble(log, false);
    while (log_position(log) < LINES * LINE_SIZE)
        sched_yield();
    wait_captured(log);
    logs_stop(logs);
    end_process(writer);
    assert_int_equal(told, 2);
    read_one(&place, "web.log", &got);
    assert_int_equal(got.len, LINES * (LINE_SIZE + 28)); /* no half of a time is left in it */
    text_deinit(&got);
}

static void grow(void *context)
{
    assert_int_equal(mount("none", context, "tmpfs", MS_REMOUNT, "size=16m"), 0);
}

/* In a process of its own, for the sake of its mounts. */
static void a_full_file_system_drops_and_heals(void **state)
{
    pid_t pid = fork_child();
    int status;

    (void)state;
    if (pid == 0) {
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mkdir(place.kept, 0755) < 0 || mount("none", place.kept, "tmpfs", 0, "size=64k") < 0)
            _exit(77);
        drop_on_a_full_disk(grow, place.kept);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("no mount is permitted here: RLIMIT_FSIZE alone has been tried\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void held_output_goes_on_when_dropping_is_allowed(void **state)
{
    enum { LINES = 5000 };
    struct logs *logs;
    struct log_trouble trouble;
    struct log *log;
    pid_t writer;

    (void)state;
    lower_limit();
    logs = start_told();
    log = open_spec(logs, spec);
    writer = start_writer(log_fifo(log, STREAM_STDOUT), LINES);
    trouble = wait_trouble(log, true);
    assert_int_equal(trouble.dropped_bytes, 0);
    assert_true(log_position(log) < LINES * LINE_SIZE);
    spec->when_full = WHEN_FULL_DROP;
    open_spec(logs, spec);
    while (log_position(log) < LINES * LINE_SIZE)
        wait_captured(log);
    wait_captured(log);
    log_trouble(log, &trouble);
    assert_true(trouble.dropped_bytes > 0);
    assert_int_equal(trouble.times, 1);
    raise_limit(NULL);
    wait_trouble(log, false);
    assert_int_equal(told, 2);
    logs_stop(logs);
    end_process(writer);
}

static void the_trouble_of_one_stream_is_not_the_other_s(void **state)
{
    struct logs *logs;
    struct log_trouble trouble;
    struct log *log;
    int out, error;

    (void)state;
    lower_limit();
    logs = start_told();
    spec->separate_stderr = true;
    spec->when_full = WHEN_FULL_DROP;
    log = open_spec(logs, spec);
    out = open_output(log_fifo(log, STREAM_STDOUT));
    error = open_output(log_fifo(log, STREAM_STDERR));
    for (int i = 0; i < 2 * LIMIT; i += 10)
        put_text(out, "123456789\n");
    wait_trouble(log, true);
    put_text(error, "bad\n");
    wait_captured(log);
    assert_kept(&place, "web.err.log", "bad\n");
    log_trouble(log, &trouble);
    assert_true(trouble.error != 0);
    raise_limit(NULL);
    wait_trouble(log, false);
    assert_int_equal(told, 2);
    logs_stop(logs);
    close(out);
    close(error);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(what_is_dropped_is_counted_and_said_once),
        test(with_timestamps_too),
        test(a_full_file_system_drops_and_heals),
        test(held_output_goes_on_when_dropping_is_allowed),
        test(the_trouble_of_one_stream_is_not_the_other_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
