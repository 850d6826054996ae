/* From a service's FIFO to its file: nothing lost, nothing doubled, whatever happens to us. */
#include "logs/fixture.h"

#include "state.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

static struct place place;

static int set_up(void **state)
{
    (void)state;
    place_open(&place);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    place_close(&place);
    return 0;
}

static void bytes_arrive_unchanged(void **state)
{
    enum { SIZE = 300000 };
    struct logs *logs = start(&place);
    struct log *log = open_log(logs, "web", 0, 5);
    struct log_reader *reader = open_reader(logs, "web", 0);
    char *data = malloc(SIZE);
    int fd = open_output(log_fifo(log, STREAM_STDOUT));
    struct text got = {0};

    (void)state;
    assert_non_null(data);
    for (int i = 0; i < SIZE; i++)
        data[i] = (char)(i * 7 + i / 256);
    put(fd, data, SIZE);
    follow(reader, &got, SIZE);
    assert_int_equal(got.len, SIZE);
    assert_memory_equal(got.data, data, SIZE);
    close(fd);
    free(data);
    text_deinit(&got);
    log_reader_close(reader);
    logs_stop(logs);
}

static void stopping_takes_what_is_there_and_starting_goes_on(void **state)
{
    enum { LINES = 60000, TIMES = 20 };
    struct logs *logs = start(&place);
    struct log *log = open_log(logs, "web", 100000, 1000);
    struct text got = {0};
    pid_t writer;

    (void)state;
    writer = start_writer(log_fifo(log, STREAM_STDOUT), LINES);
    for (int i = 1; i <= TIMES; i++) {
        struct log_reader *reader = open_reader(logs, "web", SIZE_MAX);

        got.len = 0;
        follow(reader, &got, (size_t)LINES * LINE_SIZE / TIMES * (size_t)i);
        log_reader_close(reader);
        logs_stop(logs);
        logs = start(&place);
        open_log(logs, "web", 100000, 1000);
    }
    logs_stop(logs);
    end_process(writer);
    got.len = 0;
    read_kept(&place, "web", &got);
    assert_lines(&got, 0, LINES);
    text_deinit(&got);
}

/* Takes over, and dies by SIGKILL as soon as so many bytes more have come: anywhere in a write. */
static void capture_and_die(size_t bytes, int64_t max_size)
{
    struct logs *logs = start(&place);
    struct log_reader *reader;
    struct text got = {0};

    open_log(logs, "web", max_size, 1000);
    reader = open_reader(logs, "web", 0);
    follow(reader, &got, bytes);
    raise(SIGKILL);
}

static void kill_again_and_again(int64_t max_size)
{
    enum { LINES = 200000, TIMES = 40 }; /* more than the TIMES can take */
    struct logs *logs = start(&place);
    char *fifo = strdup(log_fifo(open_log(logs, "web", max_size, 1000), STREAM_STDOUT));
    struct log_reader *reader;
    struct text got = {0};
    pid_t writer;
    int hold;

    assert_non_null(fifo);
    logs_stop(logs);
    hold = open_output(fifo); /* as a service does that outlives the daemon */
    writer = start_writer(fifo, LINES);
    for (int i = 0; i < TIMES; i++) {
        pid_t pid = fork_child();
        int status;

        if (pid == 0)
            capture_and_die((size_t)(1000 + i * 977 % 20000), max_size);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    logs = start(&place);
    open_log(logs, "web", max_size, 1000);
    reader = open_reader(logs, "web", SIZE_MAX);
    follow(reader, &got, (size_t)LINES * LINE_SIZE);
    log_reader_close(reader);
    logs_stop(logs);
    end_process(writer);
    close(hold);
    got.len = 0;
    read_kept(&place, "web", &got);
    assert_lines(&got, 0, LINES);
    text_deinit(&got);
    free(fifo);
}

static void a_killed_daemon_loses_and_doubles_nothing(void **state)
{
    (void)state;
    kill_again_and_again(0);
}

static void a_daemon_killed_among_rotations_loses_and_doubles_nothing(void **state)
{
    (void)state;
    kill_again_and_again(20000);
}

/* splice refuses a file that is open for appending, as some file systems refuse it always. */
static void where_splice_is_refused_bytes_are_copied(void **state)
{
    enum { LINES = 5000 };
    struct logs *logs = start(&place);
    struct log *log = open_log(logs, "web", 150000, 5);
    struct log_reader *reader = open_reader(logs, "web", 0);
    struct text got = {0};
    pid_t writer;

    (void)state;
    assert_int_equal(fcntl(log_channel(log, STREAM_STDOUT)->file_fd, F_SETFL, O_APPEND), 0);
    writer = start_writer(log_fifo(log, STREAM_STDOUT), LINES);
    follow(reader, &got, (size_t)LINES * LINE_SIZE);
    assert_lines(&got, 0, LINES);
    assert_true(exists(&place, "web.log.1"));
    end_process(writer);
    text_deinit(&got);
    log_reader_close(reader);
    logs_stop(logs);
}

static void a_writer_outlives_the_logs(void **state)
{
    struct logs *logs = start(&place);
    int fd = open_output(log_fifo(open_log(logs, "web", 0, 5), STREAM_STDOUT));
    struct text got = {0};

    (void)state;
    put_text(fd, "before\n");
    logs_stop(logs);
    put_text(fd, "between\n"); /* SIGPIPE would end the test */
    logs = start(&place);
    open_log(logs, "web", 0, 5);
    put_text(fd, "after\n");
    logs_stop(logs);
    close(fd);
    read_kept(&place, "web", &got);
    assert_string_equal(got.data, "before\nbetween\nafter\n");
    text_deinit(&got);
}

/* Writes more than can be kept, waits until that is known, heals it, and finds everything. */
static void write_over_a_full_disk(void (*heal)(void *context), void *context)
{
    enum { LINES = 3000 };
    struct logs *logs = start(&place);
    struct log *log = open_log(logs, "web", 0, 5);
    struct log_reader *reader = open_reader(logs, "web", SIZE_MAX);
    struct log_trouble trouble = {0};
    pid_t writer = start_writer(log_fifo(log, STREAM_STDOUT), LINES);
    struct text got = {0};

    for (;;) {
        log_trouble(log, &trouble);
        if (trouble.error != 0)
            break;
        read_rest(reader, &got);
        sched_yield(); /* the trouble begins after the last byte was told */
    }
    read_rest(reader, &got);
    assert_true(got.len < (size_t)LINES * LINE_SIZE);
    assert_true(trouble.error == -EFBIG || trouble.error == -ENOSPC);
    heal(context);
    follow(reader, &got, (size_t)LINES * LINE_SIZE);
    log_trouble(log, &trouble);
    assert_int_equal(trouble.error, 0);
    assert_int_equal(trouble.times, 1);
    log_reader_close(reader);
    logs_stop(logs);
    end_process(writer);
    assert_lines(&got, 0, LINES);
    text_deinit(&got);
}

static void raise_limit(void *context)
{
    assert_int_equal(setrlimit(RLIMIT_FSIZE, context), 0);
}

static void what_can_not_be_written_stays_in_the_fifo_and_is_tried_again(void **state)
{
    struct rlimit old, low;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = (struct rlimit){.rlim_cur = 50000, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    write_over_a_full_disk(raise_limit, &old);
}

static void grow(void *context)
{
    assert_int_equal(mount("none", context, "tmpfs", MS_REMOUNT, "size=16m"), 0);
}

/* In a process of its own, for the sake of its mounts. */
static void a_full_file_system_is_gone_on_with_when_there_is_room(void **state)
{
    pid_t pid = fork_child();
    int status;

    (void)state;
    if (pid == 0) {
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mkdir(place.kept, 0755) < 0 || mount("none", place.kept, "tmpfs", 0, "size=64k") < 0)
            _exit(77);
        write_over_a_full_disk(grow, place.kept);
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

static void a_fifo_of_a_former_daemon_is_opened_again(void **state)
{
    struct logs *logs = start(&place);
    struct log *log = open_log(logs, "web", 0, 5);
    struct stat first, second;
    char path[160];

    (void)state;
    assert_int_equal(stat(log_fifo(log, STREAM_STDOUT), &first), 0);
    assert_true(S_ISFIFO(first.st_mode));
    assert_int_equal(first.st_mode & 07777, 0600);
    snprintf(path, sizeof path, "%s/web", place.run);
    assert_int_equal(stat(path, &second), 0);
    assert_int_equal(second.st_mode & 07777, 0755);
    logs_stop(logs);
    logs = start(&place);
    log = open_log(logs, "web", 0, 5);
    assert_int_equal(stat(log_fifo(log, STREAM_STDOUT), &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
    logs_stop(logs);
}

static void something_else_in_the_place_of_the_fifo_is_an_error(void **state)
{
    struct logs *logs = start(&place);
    struct service_spec *spec = spec_new("web");
    struct error err = {0};
    struct log *log;
    char path[160];

    (void)state;
    snprintf(path, sizeof path, "%s/web", place.run);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof path, "%s/web/out", place.run);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(log_open_service(logs, spec, &log, &err), -EEXIST);
    assert_non_null(strstr(err.text, "/web/out is in the way"));
    spec_unref(spec);
    logs_stop(logs);
}

static void a_service_opened_again_takes_over_owner_and_limits(void **state)
{
    struct logs *logs = start(&place);
    struct log *log = open_log(logs, "web", 0, 5), *again = NULL;
    struct service_spec *spec = spec_new("web");
    int fd = open_output(log_fifo(log, STREAM_STDOUT));
    struct error err = {0};
    struct stat st;

    (void)state;
    spec->log_max_size = 10;
    if (geteuid() == 0) {
        spec->set_user = true;
        spec->uid = 1234;
        spec->gid = 2345;
    }
    assert_int_equal(log_open_service(logs, spec, &again, &err), 0);
    assert_ptr_equal(log, again);
    assert_int_equal(stat(log_fifo(log, STREAM_STDOUT), &st), 0);
    assert_int_equal(st.st_uid, geteuid() == 0 ? 1234 : geteuid());
    assert_int_equal(st.st_gid, geteuid() == 0 ? 2345 : getegid());
    put_text(fd, "one two\nthree\n");
    logs_stop(logs);
    close(fd);
    assert_kept(&place, "web.log.1", "one two\n");
    assert_kept(&place, "web.log", "three\n");
    spec_unref(spec);
}

static void a_file_that_others_removed_is_made_anew(void **state)
{
    struct logs *logs = start(&place);
    int fd = open_output(log_fifo(open_log(logs, "web", 0, 5), STREAM_STDOUT));
    struct log_reader *reader = open_reader(logs, "web", 0);
    struct text got = {0};
    char path[160];

    (void)state;
    put_text(fd, "lost\n");
    follow(reader, &got, 5);
    snprintf(path, sizeof path, "%s/web.log", place.kept);
    assert_int_equal(unlink(path), 0);
    put_text(fd, "kept\n");
    follow(reader, &got, 10);
    assert_string_equal(got.data, "lost\nkept\n");
    assert_kept(&place, "web.log", "kept\n");
    assert_int_equal(truncate(path, 0), 0);
    put_text(fd, "new\n");
    follow(reader, &got, 14);
    assert_kept(&place, "web.log", "new\n");
    text_deinit(&got);
    log_reader_close(reader);
    close(fd);
    logs_stop(logs);
}

static void a_flood_in_one_service_does_not_hold_up_another(void **state)
{
    enum { LINES = 1000000 }; /* far more than is waited for */
    struct logs *logs = start(&place);
    pid_t writer = start_writer(log_fifo(open_log(logs, "loud", 20000, 2), STREAM_STDOUT), LINES);
    int fd = open_output(log_fifo(open_log(logs, "quiet", 0, 5), STREAM_STDOUT));
    struct log_reader *reader = open_reader(logs, "quiet", 0);
    struct text got = {0};

    (void)state;
    for (size_t i = 1; i <= 200; i++) {
        put_text(fd, "word\n");
        follow(reader, &got, i * 5);
    }
    end_process(writer);
    text_deinit(&got);
    log_reader_close(reader);
    close(fd);
    logs_stop(logs);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(bytes_arrive_unchanged),
        test(stopping_takes_what_is_there_and_starting_goes_on),
        test(a_killed_daemon_loses_and_doubles_nothing),
        test(a_daemon_killed_among_rotations_loses_and_doubles_nothing),
        test(where_splice_is_refused_bytes_are_copied),
        test(a_writer_outlives_the_logs),
        test(what_can_not_be_written_stays_in_the_fifo_and_is_tried_again),
        test(a_full_file_system_is_gone_on_with_when_there_is_room),
        test(a_fifo_of_a_former_daemon_is_opened_again),
        test(something_else_in_the_place_of_the_fifo_is_an_error),
        test(a_service_opened_again_takes_over_owner_and_limits),
        test(a_file_that_others_removed_is_made_anew),
        test(a_flood_in_one_service_does_not_hold_up_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
