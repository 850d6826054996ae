/* Logs of units, from the real journal: runs under the private systemd of tests/systemd. */
#include "logs/asked.h"
#include "logs/tails.h"

#include "unit_journal.h"

#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mount.h>
#include <systemd/sd-journal.h>

#define SKIPPED 125 /* as with-systemd */

extern char **environ;

static struct place place;
static struct logs *logs;
static struct service_spec *spec;
static struct log *unit_log;
static char self[256]; /* this program */

/* ---- the real thing ---- */

static void run_command(char *const argv[])
{
    int status;
    pid_t pid;

    assert_int_equal(posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("%s %s: status %d", argv[0], argv[1], status);
}

#define run(...) run_command((char *[]){__VA_ARGS__, NULL})

/* Until journald has written all that it was sent. 0 or -errno. */
static int wait_written(void)
{
    int fd = unit_journal_write_out();
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    int count = fd < 0 ? -1 : poll(&poll_fd, 1, (int)(LONG / USEC_PER_MSEC));

    if (fd >= 0)
        close(fd);
    return count == 1 ? 0 : -EIO;
}

/* A unit that runs each line it is given. */
static void start_unit(const char *unit)
{
    char path[128], script[256];

    snprintf(path, sizeof path, "%s/%s.say", place.root, unit);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(script, sizeof script, "exec 3<>%s; while read -r line <&3; do eval \"$line\"; done",
             path);
    run("systemd-run", "--quiet", "--collect", "--unit", (char *)unit, "sh", "-c", script);
    assert_int_equal(wait_written(), 0); /* that it was started, too */
}

static void stop_unit(const char *unit)
{
    run("systemctl", "stop", (char *)unit);
}

static void tell(const char *unit, const char *line)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/%s.say", place.root, unit);
    fd = open(path, O_WRONLY | O_CLOEXEC); /* waits until the unit has opened it */
    assert_true(fd >= 0);
    put_text(fd, line);
    put_text(fd, "\n");
    close(fd);
}

static void open_signal(char path[static 128])
{
    snprintf(path, 128, "%s/done", place.root);
    assert_int_equal(mkfifo(path, 0600), 0);
}

/* Until somebody has written to it. */
static void wait_signal(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char byte;

    assert_true(fd >= 0);
    assert_int_equal(read(fd, &byte, 1), 1);
    close(fd);
    unlink(path);
}

/* Until it is through with the line. */
static void do_it(const char *unit, const char *line)
{
    char path[128], told[512];

    open_signal(path);
    snprintf(told, sizeof told, "%s; echo >%s", line, path);
    tell(unit, told);
    wait_signal(path);
}

static void say(const char *unit, const char *line)
{
    do_it(unit, line);
    assert_int_equal(wait_written(), 0);
}

/* ---- this program, as a process of the unit ---- */

/* It lives until journald has looked who it is. */
static int send_message(const char *data, size_t size)
{
    const struct iovec field = {(void *)data, size};
    int result = sd_journal_sendv(&field, 1);

    return result < 0 ? 1 : wait_written() < 0;
}

static int send_large(size_t size)
{
    static const char field[] = "MESSAGE=";
    char *data = malloc(sizeof field - 1 + size);
    int result;

    if (!data)
        return 1;
    memcpy(data, field, sizeof field - 1);
    memset(data + sizeof field - 1, 'x', size);
    result = send_message(data, sizeof field - 1 + size);
    free(data);
    return result;
}

static int send_kind(const char *kind)
{
    static const char nul[] = "MESSAGE=a\0b", nothing[] = "NOTE=no message";

    if (strcmp(kind, "lines") == 0)
        return send_message("MESSAGE=one\ntwo\n\nfour\n", 22);
    if (strcmp(kind, "nul") == 0)
        return send_message(nul, sizeof nul - 1);
    if (strcmp(kind, "nothing") == 0)
        return send_message(nothing, sizeof nothing - 1);
    return send_large((size_t)atol(kind));
}

static void say_kind(const char *kind)
{
    char line[320];

    snprintf(line, sizeof line, "%s %s", self, kind);
    say("web.service", line);
}

/* ---- */

static int set_up(void **state)
{
    (void)state;
    place_open(&place);
    logs = start(&place);
    spec = spec_new("web");
    assert_non_null(spec);
    spec->backend = BACKEND_SYSTEMD;
    spec->unit = strdup("web.service");
    assert_non_null(spec->unit);
    unit_log = open_spec(logs, spec);
    start_unit("web.service");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stop_unit("web.service");
    logs_stop(logs);
    spec_unref(spec);
    place_close(&place);
    return 0;
}

static struct log_reader *open_unit(size_t lines, bool follows)
{
    struct log_reader *reader = NULL;
    struct error err = {0};

    if (log_reader_open_unit(logs, spec, lines, follows, &reader, &err) < 0)
        fail_msg("%s", err.text);
    return reader;
}

static void assert_last(size_t lines, const char *expected)
{
    struct log_reader *reader = open_unit(lines, false);
    struct text got = {0};

    text_append(&got, "");
    read_rest(reader, &got);
    assert_string_equal(got.data, expected);
    text_deinit(&got);
    log_reader_close(reader);
}

/* Reads on until it has got so many bytes. */
static void follow_unit(struct log_reader *reader, size_t size, struct text *got)
{
    char block[8192];

    while (got->len < size) {
        ssize_t n = log_reader_read(reader, block, sizeof block);

        if (n > 0)
            text_append_n(got, block, (size_t)n);
        else if (n == 0 || n == -EAGAIN)
            wait_for_more(reader);
        else
            fail_msg("read: %s", strerror((int)-n));
    }
}

static void assert_next(struct log_reader *reader, const char *expected)
{
    struct text got = {0};

    text_append(&got, "");
    follow_unit(reader, strlen(expected), &got);
    assert_string_equal(got.data, expected);
    text_deinit(&got);
}

static void it_gives_the_last_lines_oldest_first(void **state)
{
    (void)state;
    say("web.service", "echo one; echo two >&2; echo three");
    assert_last(0, "");
    assert_last(1, "three\n");
    assert_last(2, "two\nthree\n");
    assert_last(3, "one\ntwo\nthree\n");
}

static void it_begins_at_the_first_line_when_there_are_less(void **state)
{
    struct log_reader *reader = open_unit(SIZE_MAX, false), *same = open_unit(100000, false);
    struct text all = {0}, last = {0};

    (void)state;
    read_rest(reader, &all);
    read_rest(same, &last);
    assert_true(all.len > 0);
    assert_string_equal(all.data, last.data);
    text_deinit(&all);
    text_deinit(&last);
    log_reader_close(same);
    log_reader_close(reader);
}

static void what_the_manager_says_of_it_is_there_too(void **state)
{
    struct log_reader *reader = open_unit(0, true);
    struct text got = {0};

    (void)state;
    text_append(&got, "");
    run("systemctl", "stop", "web.service");
    while (!strstr(got.data, "Stopped web.service"))
        follow_unit(reader, got.len + 1, &got);
    text_deinit(&got);
    log_reader_close(reader);
    assert_int_equal(wait_written(), 0);
    place_close(&place);
    assert_int_equal(mkdir(place.root, 0755), 0);
    start_unit("web.service");
}

static void what_others_say_is_not(void **state)
{
    (void)state;
    start_unit("other.service");
    say("web.service", "echo mine");
    say("other.service", "echo other");
    assert_last(1, "mine\n");
    stop_unit("other.service");
}

static void a_message_of_several_lines_is_given_as_such(void **state)
{
    (void)state;
    say_kind("lines");
    assert_last(1, "four\n");
    assert_last(2, "\nfour\n");
    assert_last(4, "one\ntwo\n\nfour\n");
    say("web.service", "echo last");
    assert_last(2, "four\nlast\n");
}

static void what_is_not_text_does_no_harm(void **state)
{
    (void)state;
    say("web.service", "echo before");
    say_kind("nothing");
    say_kind("nul");
    assert_last(2, "before\na?b\n");
}

static void a_large_message_is_cut_at_a_mebibyte(void **state)
{
    enum { LIMIT = 1 << 20 };
    struct log_reader *reader;
    struct text got = {0};

    (void)state;
    say_kind("2000000");
    reader = open_unit(1, false);
    read_rest(reader, &got);
    assert_int_equal(got.len, LIMIT + 1);
    assert_int_equal(got.data[LIMIT - 1], 'x');
    assert_int_equal(got.data[LIMIT], '\n');
    text_deinit(&got);
    log_reader_close(reader);
}

static void set_unit(const char *unit, enum bus_type bus)
{
    free(spec->unit);
    spec->unit = strdup(unit);
    assert_non_null(spec->unit);
    spec->bus = bus;
}

/* What the units file says, which is read anew. */
static void write_unit(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    put_text(fd, text);
    close(fd);
    run("systemctl", "daemon-reload");
}

static void assert_has_line(const char *line)
{
    struct log_reader *reader = open_unit(SIZE_MAX, false);
    struct text got = {0};

    text_append(&got, "\n");
    read_rest(reader, &got);
    if (!strstr(got.data, line))
        fail_msg("not there: %s in: %s", line, got.data);
    text_deinit(&got);
    log_reader_close(reader);
}

static void a_unit_has_its_log_by_its_other_name_too(void **state)
{
    (void)state;
    assert_int_equal(symlink("real.service", "/run/systemd/system/alias.service"), 0);
    write_unit("/run/systemd/system/real.service",
               "[Service]\nType=oneshot\nExecStart=echo from the real one\n");
    run("systemctl", "start", "alias.service");
    assert_int_equal(wait_written(), 0);
    set_unit("alias.service", BUS_SYSTEM);
    assert_has_line("\nfrom the real one\n");
    assert_has_line("\nFinished real.service");
    unlink("/run/systemd/system/alias.service");
    unlink("/run/systemd/system/real.service");
    run("systemctl", "daemon-reload");
}

/* A user's manager is known by the group that it is in. */
static void a_unit_of_a_user_s_manager_has_its_own(void **state)
{
    char path[128], script[256];

    (void)state;
    setenv("XDG_RUNTIME_DIR", "/run/user/0", 1);
    mkdir("/run/user/0", 0700);
    run("systemd-run", "--quiet", "--collect", "--unit=user@0.service", "--slice=user-0.slice",
        "--property=Delegate=yes", "--property=Type=notify", "--setenv=XDG_RUNTIME_DIR=/run/user/0",
        "/lib/systemd/systemd", "--user");
    open_signal(path);
    snprintf(script, sizeof script, "echo from the user; echo >%s; exec sleep 1000", path);
    run("systemd-run", "--user", "--quiet", "--collect", "--unit=web.service", "sh", "-c", script);
    wait_signal(path);
    say("web.service", "echo from the system");
    assert_last(1, "from the system\n");
    set_unit("web.service", BUS_USER);
    assert_has_line("\nStarted web.service");
    assert_has_line("\nfrom the user\n");
    run("systemctl", "stop", "user@0.service");
}

/* ---- following ---- */

static void it_follows_what_comes(void **state)
{
    struct log_reader *reader;

    (void)state;
    say("web.service", "echo old; echo last");
    reader = open_unit(1, true);
    assert_next(reader, "last\n");
    tell("web.service", "echo new");
    assert_next(reader, "new\n");
    tell("web.service", "echo newer; echo newest >&2");
    assert_next(reader, "newer\nnewest\n");
    log_reader_close(reader);
}

static void it_follows_a_unit_that_has_said_nothing_yet(void **state)
{
    struct log_reader *reader;

    (void)state;
    set_unit("later.service", BUS_SYSTEM);
    reader = open_unit(10, true);
    run("systemd-run", "--quiet", "--collect", "--wait", "--unit", "later.service", "sh", "-c",
        "echo here");
    for (struct text got = {0};;) {
        follow_unit(reader, got.len + 1, &got);
        if (!strstr(got.data, "here\n"))
            continue;
        text_deinit(&got);
        break;
    }
    log_reader_close(reader);
}

static void it_follows_over_rotations_and_a_restart_of_journald(void **state)
{
    enum { TURNS = 5 };
    struct log_reader *reader = open_unit(0, true);
    char line[32], expected[32];

    (void)state;
    for (int i = 0; i < TURNS; i++) {
        snprintf(line, sizeof line, "echo before %d", i);
        tell("web.service", line);
        snprintf(expected, sizeof expected, "before %d\n", i);
        assert_next(reader, expected);
        run("journalctl", "--quiet", "--rotate");
        snprintf(line, sizeof line, "echo rotated %d", i);
        tell("web.service", line);
        snprintf(expected, sizeof expected, "rotated %d\n", i);
        assert_next(reader, expected);
    }
    run("journalctl", "--quiet", "--rotate", "--vacuum-files=1");
    run("systemctl", "restart", "systemd-journald.service");
    tell("web.service", "echo after");
    assert_next(reader, "after\n");
    log_reader_close(reader);
}

/* What the unit says in 20000 lines, over files that are rotated while it does. */
static void a_slow_reader_misses_nothing(void **state)
{
    enum { LINES = 20000 };
    struct log_reader *reader = open_unit(0, true);
    struct text got = {0}, expected = {0};

    (void)state;
    for (int i = 1; i <= LINES; i++)
        text_appendf(&expected, "line %d\n", i);
    say("web.service", "seq -f \"line %.0f\" 1 10000");
    run("journalctl", "--quiet", "--rotate");
    say("web.service", "seq -f \"line %.0f\" 10001 20000");
    follow_unit(reader, expected.len, &got);
    assert_string_equal(got.data, expected.data);
    text_deinit(&expected);
    text_deinit(&got);
    log_reader_close(reader);
}

static void who_is_woken_by_others_is_told_so(void **state)
{
    struct log_reader *reader = open_unit(0, true);
    char byte;

    (void)state;
    start_unit("other.service");
    assert_int_equal(wait_written(), 0);
    while (log_reader_read(reader, &byte, 1) != 0)
        continue;
    tell("other.service", "echo other");
    wait_for_more(reader);
    assert_int_equal(log_reader_read(reader, &byte, 1), -EAGAIN);
    log_reader_close(reader);
    stop_unit("other.service");
}

static void waits_end_at_their_time_and_at_the_end(void **state)
{
    struct log_reader *early = open_unit(0, true), *late = open_unit(0, true);
    struct log_reader *never = open_unit(0, false);
    int64_t until = clock_mono_us() + 30 * USEC_PER_MSEC;
    struct gate gate, last;
    char byte;

    (void)state;
    gate_init(&gate);
    gate_init(&last);
    while (log_reader_read(late, &byte, 1) != 0)
        continue;
    log_reader_wait(never, CLOCK_NEVER, gate_open, &gate);
    assert_int_equal(gate.count, 1); /* it does not follow */
    gate.count = 0;
    log_reader_wait(early, until, gate_open, &gate);
    gate_pass(&gate);
    log_reader_wait(late, CLOCK_NEVER, gate_open, &last);
    logs_stop(logs);
    assert_int_equal(gate.count, 1);
    assert_int_equal(last.count, 1);
    log_reader_close(early);
    log_reader_close(late);
    log_reader_close(never);
    gate_deinit(&gate);
    gate_deinit(&last);
    logs = start(&place);
}

static void many_follow_at_once(void **state)
{
    enum { READERS = 20, LINES = 500 };
    struct log_reader *readers[READERS];
    struct text expected = {0};

    (void)state;
    for (int i = 1; i <= LINES; i++)
        text_appendf(&expected, "line %d\n", i);
    for (int i = 0; i < READERS; i++)
        readers[i] = open_unit(0, true);
    tell("web.service", "seq -f \"line %.0f\" 1 500");
    for (int i = 0; i < READERS; i++) {
        assert_next(readers[i], expected.data);
        log_reader_close(readers[i]);
    }
    text_deinit(&expected);
}

/* ---- the last lines, for an operation ---- */

static void a_tail_has_the_lines_since_a_position(void **state)
{
    int64_t before, after;

    (void)state;
    say("web.service", "echo old");
    before = log_position(unit_log);
    say("web.service", "echo one; echo two; echo three");
    after = log_position(unit_log);
    assert_tail_of(unit_log, before, 10, "one|two|three");
    assert_tail_of(unit_log, before, 2, "two|three");
    assert_tail_of(unit_log, after, 10, "");
    assert_tail_of(unit_log, before, 0, "");
    say_kind("lines");
    assert_tail_of(unit_log, after, 3, "two||four");
}

/* It is asked for while journald may not have looked at its sockets yet. */
static void a_tail_waits_for_what_journald_has_not_written(void **state)
{
    int64_t before = log_position(unit_log);

    (void)state;
    do_it("web.service", "seq 1 3000");
    assert_tail_of(unit_log, before, 2, "2999|3000");
}

static void a_tail_that_waits_is_answered_at_the_end(void **state)
{
    struct answer answer;

    (void)state;
    say("web.service", "echo last");
    ask_of(unit_log, &answer, 0, 1);
    logs_stop(logs);
    assert_int_equal(answer.gate.count, 1);
    assert_answer(&answer, "last");
    logs = start(&place);
}

/* ---- a log, and none ---- */

static void a_unit_s_log_makes_no_files(void **state)
{
    struct log_trouble trouble;
    char path[128];

    (void)state;
    assert_null(log_fifo(unit_log, STREAM_STDOUT));
    assert_null(log_fifo(unit_log, STREAM_STDERR));
    snprintf(path, sizeof path, "%s/web", place.run);
    assert_int_equal(access(path, F_OK), -1);
    assert_false(exists(&place, "web.log"));
    log_trouble(unit_log, &trouble);
    assert_int_equal(trouble.error, 0);
    assert_int_equal(ask_to_rotate(logs, "web"), -ENODATA);
}

static void a_service_may_become_a_unit_and_cease_to_be_one(void **state)
{
    struct service_spec *plain = spec_new("web");
    struct log *same;
    int fd;

    (void)state;
    assert_non_null(plain);
    same = open_spec(logs, plain);
    assert_ptr_equal(same, unit_log);
    fd = open_output(log_fifo(same, STREAM_STDOUT));
    put_text(fd, "from the fifo\n");
    assert_tail_of(same, 0, 10, "from the fifo");
    say("web.service", "echo from the journal");
    open_spec(logs, spec);
    assert_null(log_fifo(same, STREAM_STDOUT));
    assert_tail_of(same, 0, 1, "from the journal");
    put_text(fd, "still read\n");
    open_spec(logs, plain);
    assert_tail_of(same, 0, 10, "from the fifo|still read");
    close(fd);
    spec_unref(plain);
}

/* In a name space of its own, where there is no journal to be seen. */
static int look_without_journal(void)
{
    struct log_reader *reader = NULL;
    struct error err = {0};

    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", "/run/log", "tmpfs", 0, NULL) < 0 ||
        mount("tmpfs", "/var/log", "tmpfs", 0, NULL) < 0)
        return 2;
    if (log_reader_open_unit(logs, spec, 10, true, &reader, &err) != -ENOENT)
        return 3;
    return strstr(err.text, "systemd-journald") && strstr(err.text, "/run/log/journal") ? 0 : 4;
}

static void without_a_journal_the_reason_is_given(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    pid = fork_child();
    if (pid == 0)
        _exit(look_without_journal());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* ---- */

static const char *reason_to_skip(void)
{
    if (!getenv("WITH_SYSTEMD"))
        return "it needs a systemd of its own: tests/systemd/with-systemd";
    if (access("/run/systemd/journal/io.systemd.journal", F_OK) < 0)
        return "there is no systemd-journald";
    return NULL;
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        test(it_gives_the_last_lines_oldest_first),
        test(it_begins_at_the_first_line_when_there_are_less),
        test(what_the_manager_says_of_it_is_there_too),
        test(what_others_say_is_not),
        test(a_message_of_several_lines_is_given_as_such),
        test(what_is_not_text_does_no_harm),
        test(a_large_message_is_cut_at_a_mebibyte),
        test(a_unit_has_its_log_by_its_other_name_too),
        test(a_unit_of_a_user_s_manager_has_its_own),
        test(it_follows_what_comes),
        test(it_follows_a_unit_that_has_said_nothing_yet),
        test(it_follows_over_rotations_and_a_restart_of_journald),
        test(a_slow_reader_misses_nothing),
        test(who_is_woken_by_others_is_told_so),
        test(waits_end_at_their_time_and_at_the_end),
        test(many_follow_at_once),
        test(a_tail_has_the_lines_since_a_position),
        test(a_tail_waits_for_what_journald_has_not_written),
        test(a_tail_that_waits_is_answered_at_the_end),
        test(a_unit_s_log_makes_no_files),
        test(a_service_may_become_a_unit_and_cease_to_be_one),
        test(without_a_journal_the_reason_is_given),
    };
    const char *reason = reason_to_skip();

    if (argc > 1)
        return send_kind(argv[1]);
    if (reason) {
        printf("skipped: %s\n", reason);
        return SKIPPED;
    }
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
