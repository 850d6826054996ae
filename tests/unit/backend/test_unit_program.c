/* What a process that systemd has made for a unit is, seen from outside at any moment of it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "unit_program.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 1000

/* A process has the name of the thread that forked it, until it executes a program. */
static pid_t fork_as(const char *name)
{
    pid_t pid;

    assert_int_equal(prctl(PR_SET_NAME, name), 0);
    pid = fork();
    assert_true(pid >= 0);
    return pid;
}

static void what_has_executed_is_the_program(void **state)
{
    int executed[2];
    char none;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe2(executed, O_CLOEXEC), 0);
    pid = fork_as("systemd");
    if (pid == 0) {
        execl("/bin/sleep", "sleep", "86400", NULL);
        _exit(203);
    }
    close(executed[1]);
    assert_int_equal(read(executed[0], &none, 1), 0);
    assert_int_equal(unit_program_of(pid), IS_PROGRAM);
    close(executed[0]);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(unit_program_of(pid), IS_GONE);
}

static void what_is_on_its_way_or_failed_on_it_is_systemd_s(void **state)
{
    static const char *const names[] = {"systemd", "systemd-executo", "(web)"};
    siginfo_t ended;
    pid_t pid;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        pid = fork_as(names[i]);
        if (pid == 0)
            _exit(203);
        assert_int_equal(unit_program_of(pid), IS_SYSTEMD);
        assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
        assert_int_equal(unit_program_of(pid), IS_SYSTEMD);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
}

static _Atomic pid_t watched;
static atomic_uint taken_for_it;

static void *watch(void *unused)
{
    pid_t pid;

    while ((pid = watched) >= 0)
        if (pid > 0 && unit_program_of(pid) == IS_PROGRAM)
            taken_for_it++;
    return unused;
}

static void what_is_being_reaped_is_never_taken_for_the_program(void **state)
{
    pthread_t watcher;
    pid_t pid;

    (void)state;
    assert_int_equal(pthread_create(&watcher, NULL, watch, NULL), 0);
    for (unsigned i = 0; i < CHILDREN; i++) {
        pid = fork_as("(web)");
        if (pid == 0)
            _exit(203);
        watched = pid;
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    watched = -1;
    pthread_join(watcher, NULL);
    assert_int_equal(taken_for_it, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_executed_is_the_program),
        cmocka_unit_test(what_is_on_its_way_or_failed_on_it_is_systemd_s),
        cmocka_unit_test(what_is_being_reaped_is_never_taken_for_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
