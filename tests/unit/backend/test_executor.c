/* orderly-exec seen from the other side of its gate. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/sys.h"
#include "exec_order.h"
#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct scene {
    struct spawner spawner;
    char proof[64]; /* made by the program, if it ever runs */
    struct service_spec *spec;
    int settings, gate, pidfd;
    pid_t pid;
};

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    char command[128];

    strcpy(s->proof, "/tmp/orderly-executor-XXXXXX");
    close(mkstemp(s->proof));
    unlink(s->proof);
    spawner_zero(&s->spawner);
    assert_int_equal(spawner_init(&s->spawner, 1, -1, NULL), 0);
    s->spec = spec_new("web");
    snprintf(command, sizeof command, "echo > %s", s->proof);
    string_list_add(&s->spec->argv, "/bin/sh");
    string_list_add(&s->spec->argv, "-c");
    string_list_add(&s->spec->argv, command);
    s->settings = s->gate = s->pidfd = -1;
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;

    spawner_deinit(&s->spawner);
    spec_unref(s->spec);
    unlink(s->proof);
    free(s);
    return 0;
}

static void write_settings(struct scene *s, bool stay)
{
    struct string_list environment = {0};
    struct exec_order order = {
        .spec = s->spec, .argv = &s->spec->argv, .stay = stay, .environment = &environment};

    getrlimit(RLIMIT_NOFILE, &order.nofile);
    string_list_add(&environment, "PATH=/usr/bin:/bin");
    assert_int_equal(exec_order_write(&order, &s->settings, NULL), 0);
    string_list_clear(&environment);
}

static void start(struct scene *s)
{
    struct error err = {0};
    int pair[2];
    struct spawn spawn = {.executor = ORDERLY_EXEC_PATH, .marker = "A=b", .cgroup = -1};

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    s->gate = pair[0];
    spawn.settings = s->settings;
    spawn.gate = pair[1];
    if (spawner_spawn(&s->spawner, &spawn, &s->pid, &s->pidfd, &err) < 0)
        fail_msg("%s", err.text);
    close(pair[1]);
    close(s->settings);
}

static int end(struct scene *s)
{
    struct pollfd wait = {.fd = s->pidfd, .events = POLLIN};
    int status;

    assert_int_equal(poll(&wait, 1, 60000), 1);
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    if (s->gate >= 0)
        close(s->gate);
    close(s->pidfd);
    return status;
}

static void a_gate_that_closes_ends_it_before_anything_has_run(void **state)
{
    struct scene *s = *state;

    for (int stay = 0; stay < 2; stay++) {
        write_settings(s, stay);
        start(s);
        close(s->gate);
        s->gate = -1;
        assert_int_equal(WEXITSTATUS(end(s)), 125);
        assert_int_equal(access(s->proof, F_OK), -1);
    }
}

static void an_open_gate_lets_the_program_run_even_if_nobody_listens_any_more(void **state)
{
    struct scene *s = *state;

    for (int stay = 0; stay < 2; stay++) {
        write_settings(s, stay);
        start(s);
        assert_int_equal(send(s->gate, "G", 1, MSG_NOSIGNAL), 1);
        close(s->gate);
        s->gate = -1;
        assert_int_equal(end(s), 0);
        assert_int_equal(access(s->proof, F_OK), 0);
        unlink(s->proof);
    }
}

static void a_staying_one_ends_as_the_main_process_did(void **state)
{
    struct scene *s = *state;
    struct exec_report report = {0};

    free(s->spec->argv.items[2]);
    s->spec->argv.items[2] = strdup("kill -KILL $$");
    write_settings(s, true);
    start(s);
    assert_int_equal(send(s->gate, "G", 1, MSG_NOSIGNAL), 1);
    assert_int_equal(recv(s->gate, &report, sizeof report, 0), sizeof report);
    assert_int_equal(report.kind, REPORT_EXECUTING);
    assert_int_equal(recv(s->gate, &report, sizeof report, 0), sizeof report);
    assert_int_equal(report.kind, REPORT_EXITED);
    assert_int_equal(WTERMSIG(report.value), SIGKILL);
    assert_int_equal(recv(s->gate, &report, sizeof report, 0), sizeof report);
    assert_int_equal(report.kind, REPORT_EMPTY);
    assert_int_equal(WTERMSIG(end(s)), SIGKILL);
}

static void seals(int fd)
{
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED, 1);
}

static void settings_cannot_be_changed_once_they_are_written(void **state)
{
    struct scene *s = *state;

    write_settings(s, false);
    seals(s->settings);
    close(s->settings);
}

/* A copy of good settings with one 32-bit word changed, or cut short. */
static int spoiled(int good, size_t at, uint32_t value, size_t size)
{
    char data[65536];
    ssize_t len = pread(good, data, sizeof data, 0);
    int fd = memfd_create("spoiled", MFD_CLOEXEC);

    assert_true(len > 0 && at + sizeof value <= (size_t)len);
    memcpy(data + at, &value, sizeof value);
    assert_int_equal(write(fd, data, (size_t)len < size ? (size_t)len : size),
                     (ssize_t)((size_t)len < size ? (size_t)len : size));
    return fd;
}

static void expect_refused(struct scene *s, int settings)
{
    struct exec_report report = {0};

    s->settings = settings;
    start(s);
    send(s->gate, "G", 1, MSG_NOSIGNAL);
    assert_int_equal(recv(s->gate, &report, sizeof report, 0), sizeof report);
    assert_int_equal(report.kind, REPORT_FAILED);
    assert_int_equal(report.step, STEP_SETTINGS);
    assert_int_equal(report.error, EINVAL);
    assert_int_equal(WEXITSTATUS(end(s)), 126);
    assert_int_equal(access(s->proof, F_OK), -1);
}

static void spoiled_settings_are_refused(void **state)
{
    struct scene *s = *state;
    static const struct {
        size_t at;
        uint32_t value;
    } cases[] = {
        {offsetof(struct exec_settings, magic), 0},
        {offsetof(struct exec_settings, version), EXEC_SETTINGS_VERSION + 1},
        {offsetof(struct exec_settings, flags), 0x80000000},
        {offsetof(struct exec_settings, group_count), 1},
        {offsetof(struct exec_settings, group_count), UINT32_MAX},
        {offsetof(struct exec_settings, umask), 01777},
        {offsetof(struct exec_settings, argument_count), 0},
        {offsetof(struct exec_settings, argument_count), 4},
        {offsetof(struct exec_settings, argument_count), UINT32_MAX},
        {offsetof(struct exec_settings, environment_count), 0},
        {offsetof(struct exec_settings, environment_count), UINT32_MAX},
        {offsetof(struct exec_settings, own_count), 2},
        {offsetof(struct exec_settings, oom_score_adjust), 5000},
        {offsetof(struct exec_settings, nofile_hard), 1},
        {offsetof(struct exec_settings, string_bytes), 0},
        {offsetof(struct exec_settings, string_bytes), UINT32_MAX},
        {offsetof(struct exec_settings, string_bytes) + 4, UINT32_MAX},
        {sizeof(struct exec_settings), 0x61616161}, /* a directory that is not absolute */
    };
    int good;

    write_settings(s, false);
    good = s->settings;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refused(s, spoiled(good, cases[i].at, cases[i].value, SIZE_MAX));
    for (size_t size = 1; size < sizeof(struct exec_settings) + 8; size += 7)
        expect_refused(s, spoiled(good, 0, EXEC_SETTINGS_MAGIC, size));
    expect_refused(s, memfd_create("empty", MFD_CLOEXEC));
    close(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_gate_that_closes_ends_it_before_anything_has_run),
        TEST(an_open_gate_lets_the_program_run_even_if_nobody_listens_any_more),
        TEST(a_staying_one_ends_as_the_main_process_did),
        TEST(settings_cannot_be_changed_once_they_are_written),
        TEST(spoiled_settings_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
