/* The end of a service's whole tree, each test with a cgroup and without. The witness for what is
 * left is not the backend's own look at /proc, but a lock that every process of the tree holds: it
 * can be taken again only once the last has gone. */
#include "scene.h"

#include "base/sys.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>

/* The shell's descriptor 9 holds a lock on the output file, and so does all that it forks. */
#define HOLD "exec 9>>$OUT; flock -n 9 || exit 99; "

static void run_holding(struct scene *s, const char *script)
{
    char *out = NULL, *whole = NULL;

    if (asprintf(&out, "OUT=%s", s->output) < 0 || asprintf(&whole, HOLD "%s", script) < 0)
        fail();
    string_list_add(&s->spec->environment, out);
    s->spec->readiness = READINESS_FD;
    scene_run(s, whole);
    free(out);
    free(whole);
}

static bool anyone_left(struct scene *s)
{
    int fd = open(s->output, O_RDWR | O_CLOEXEC);
    bool free_now = flock(fd, LOCK_EX | LOCK_NB) == 0;

    close(fd);
    return !free_now;
}

static void expect_killed(struct scene *s, size_t next)
{
    struct error err = {0};

    assert_true(anyone_left(s));
    if (s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, &err) < 0)
        fail_msg("%s", err.text);
    expect(s, next, BACKEND_MAIN_EXITED);
    expect(s, next + 1, BACKEND_TREE_GONE);
    assert_false(anyone_left(s));
}

static void a_stop_signal_goes_to_the_whole_process_group(void **state)
{
    struct scene *s = *state;

    run_holding(s, "sleep 86400 & sleep 86400 & echo >&3; wait");
    expect(s, 0, BACKEND_STARTED);
    expect(s, 1, BACKEND_READY);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGTERM, REACH_GROUP, NULL), 0);
    assert_int_equal(expect(s, 2, BACKEND_MAIN_EXITED).exit.value, SIGTERM);
    expect(s, 3, BACKEND_TREE_GONE);
    assert_false(anyone_left(s));
}

static void a_stop_signal_that_follows_the_start_at_once_is_not_lost(void **state)
{
    struct scene *s = *state;

    for (int i = 0; i < 20; i++) {
        scene_run(s, "exec " LONG_AGO_SLEEP);
        assert_int_equal(s->backend->ops->signal(s->instance, SIGTERM, REACH_GROUP, NULL), 0);
        for (size_t e = 0; witness_wait(&s->witness, e).kind != BACKEND_TREE_GONE; e++)
            ;
        scene_forget(s);
    }
}

static void a_kill_that_follows_the_start_at_once_leaves_nothing(void **state)
{
    struct scene *s = *state;

    for (int i = 0; i < 20; i++) {
        run_holding(s, "trap '' TERM; " LONG_AGO_SLEEP "; true");
        assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL), 0);
        for (size_t e = 0; witness_wait(&s->witness, e).kind != BACKEND_TREE_GONE; e++)
            ;
        assert_false(anyone_left(s));
        scene_forget(s);
    }
}

static void a_double_forked_deaf_child_in_a_session_of_its_own_is_killed(void **state)
{
    struct scene *s = *state;

    run_holding(s,
                "trap '' TERM HUP INT; "
                "(setsid sh -c 'setsid sh -c \"echo >&3; while :; do sleep 86400; done\" & ' &) ; "
                "while :; do sleep 86400; done");
    expect(s, 0, BACKEND_STARTED);
    expect(s, 1, BACKEND_READY);
    expect_killed(s, 2);
}

static void a_tree_that_outlives_its_main_process_is_told_apart(void **state)
{
    struct scene *s = *state;

    run_holding(s, "(setsid sh -c 'echo >&3; exec sleep 86400' &); exit 5");
    expect(s, 0, BACKEND_STARTED);
    for (size_t i = 1; i < 3; i++) { /* READY may come from the child before or after the exit */
        if (witness_wait(&s->witness, i).kind == BACKEND_MAIN_EXITED) {
            assert_int_equal(s->witness.events[i].exit.value, 5);
            break;
        }
    }
    assert_true(anyone_left(s));
    assert_int_equal(s->backend->ops->signal(s->instance, SIGTERM, REACH_GROUP, NULL),
                     0); /* now to all that is left */
    for (size_t e = 0; witness_wait(&s->witness, e).kind != BACKEND_TREE_GONE; e++)
        ;
    assert_false(anyone_left(s));
}

static void two_hundred_children_forked_while_being_killed_are_killed(void **state)
{
    struct scene *s = *state;

    run_holding(s, "trap '' TERM; i=0; while [ $i -lt 200 ]; do "
                   "setsid sh -c 'trap \"\" TERM; sleep 86400 & wait' & i=$((i+1)); "
                   "[ $i -eq 5 ] && echo >&3; done; wait");
    expect(s, 0, BACKEND_STARTED);
    expect(s, 1, BACKEND_READY);
    expect_killed(s, 2);
}

static void a_stopped_tree_is_killed(void **state)
{
    struct scene *s = *state;

    run_holding(s, "sleep 86400 & echo >&3; kill -STOP 0");
    expect(s, 0, BACKEND_STARTED);
    expect(s, 1, BACKEND_READY);
    expect_killed(s, 2);
}

static void killing_twice_and_after_the_end_is_no_error(void **state)
{
    struct scene *s = *state;

    run_holding(s, "echo >&3; exec " LONG_AGO_SLEEP);
    expect(s, 0, BACKEND_STARTED);
    expect(s, 1, BACKEND_READY);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL), 0);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL), 0);
    assert_int_equal(expect(s, 2, BACKEND_MAIN_EXITED).exit.value, SIGKILL);
    expect(s, 3, BACKEND_TREE_GONE);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL), 0);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGTERM, REACH_GROUP, NULL), 0);
}

/* Its parent where no group holds it: the executor that stays. */
static pid_t parent_of(pid_t pid)
{
    char path[64], line[512];
    int parent = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    f = fopen(path, "re");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    fclose(f);
    assert_int_equal(sscanf(strrchr(line, ')') + 1, " %*c %d", &parent), 1);
    assert_true(parent > 1);
    return parent;
}

static void when_the_executor_is_killed_the_rest_is_killed_and_told_of(void **state)
{
    struct scene *s = *state;

    run_holding(s, "trap '' TERM; setsid sleep 86400 & echo >&3; wait");
    expect(s, 0, BACKEND_STARTED);
    expect(s, 1, BACKEND_READY);
    assert_int_equal(kill(parent_of(s->witness.events[0].pid), SIGKILL), 0);
    assert_int_equal(expect(s, 2, BACKEND_MAIN_EXITED).exit.kind, EXIT_UNKNOWN);
    expect(s, 3, BACKEND_TREE_GONE);
    assert_false(anyone_left(s));
}

static void the_executor_does_not_end_by_what_ends_a_service(void **state)
{
    struct scene *s = *state;
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGALRM};
    pid_t executor;

    run_holding(s, "echo >&3; exec " LONG_AGO_SLEEP);
    expect(s, 0, BACKEND_STARTED);
    expect(s, 1, BACKEND_READY);
    executor = parent_of(s->witness.events[0].pid);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        assert_int_equal(kill(executor, signals[i]), 0);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGINT, REACH_GROUP, NULL), 0);
    assert_int_equal(expect(s, 2, BACKEND_MAIN_EXITED).exit.value, SIGINT);
    expect(s, 3, BACKEND_TREE_GONE);
}

#define WITHOUT_GROUPS(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, setup_best_effort, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH_WAYS(a_stop_signal_goes_to_the_whole_process_group),
        IN_BOTH_WAYS(a_stop_signal_that_follows_the_start_at_once_is_not_lost),
        IN_BOTH_WAYS(a_kill_that_follows_the_start_at_once_leaves_nothing),
        IN_BOTH_WAYS(a_double_forked_deaf_child_in_a_session_of_its_own_is_killed),
        IN_BOTH_WAYS(a_tree_that_outlives_its_main_process_is_told_apart),
        IN_BOTH_WAYS(two_hundred_children_forked_while_being_killed_are_killed),
        IN_BOTH_WAYS(a_stopped_tree_is_killed),
        IN_BOTH_WAYS(killing_twice_and_after_the_end_is_no_error),
        WITHOUT_GROUPS(when_the_executor_is_killed_the_rest_is_killed_and_told_of),
        WITHOUT_GROUPS(the_executor_does_not_end_by_what_ends_a_service),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
