/* The reload command and the signals to the main process alone, each test with a cgroup and
 * without. A FIFO, $F, tells what has begun; a lock on the output file, $OUT, tells what is left.
 */
#include "scene.h"

#include "base/sys.h"

#include <errno.h>
#include <sys/file.h>

#define HOLD "exec 9>>$OUT; flock -n 9 || exit 99; "

static void add_variable(struct scene *s, const char *key, const char *value)
{
    char *string = NULL;

    assert_true(asprintf(&string, "%s=%s", key, value) > 0);
    string_list_add(&s->spec->environment, string);
    free(string);
}

static void make_fifo(struct scene *s, char path[128])
{
    snprintf(path, 128, "%s/fifo", s->folder);
    assert_int_equal(mkfifo(path, 0666), 0);
    add_variable(s, "F", path);
    add_variable(s, "OUT", s->output);
}

/* Waits until somebody writes a line into it. */
static void expect_line(const char *fifo, const char *expected)
{
    char line[64] = "";
    ssize_t n;

    do {
        int fd = open(fifo, O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        n = read(fd, line, sizeof line - 1);
        close(fd);
    } while (n == 0); /* that was the end of the writer before */
    assert_true(n > 0);
    line[strcspn(line, "\n")] = '\0';
    assert_string_equal(line, expected);
}

static void let_go(const char *fifo)
{
    int fd = open(fifo, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "\n", 1), 1);
    close(fd);
}

static bool anyone_left(struct scene *s)
{
    int fd = open(s->output, O_RDWR | O_CLOEXEC);
    bool free_now = flock(fd, LOCK_EX | LOCK_NB) == 0;

    close(fd);
    return !free_now;
}

static void set_reload(struct scene *s, const char *script)
{
    string_list_clear(&s->spec->reload_argv);
    string_list_add(&s->spec->reload_argv, "/bin/sh");
    string_list_add(&s->spec->reload_argv, "-c");
    string_list_add(&s->spec->reload_argv, script);
}

static int try_reload(struct scene *s, struct error *err)
{
    return s->backend->ops->reload(
        s->instance,
        &(struct launch){
            .spec = s->spec, .generation = 1, .fifo = s->output, .error_fifo = s->error_output},
        err);
}

static void reload(struct scene *s)
{
    struct error err = {0};

    if (try_reload(s, &err) < 0)
        fail_msg("%s", err.text);
}

static void run_with_reload(struct scene *s, const char *script)
{
    scene_run(s, "exec " LONG_AGO_SLEEP);
    expect(s, 0, BACKEND_STARTED);
    set_reload(s, script);
    reload(s);
}

static void kill_all(struct scene *s)
{
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL), 0);
}

/* ---- what it is ---- */

static void a_reload_command_runs_beside_the_main_process_whose_pid_it_is_told(void **state)
{
    struct scene *s = *state;
    struct backend_event event;
    char expected[128], *output;

    s->spec->readiness = READINESS_FD;
    s->spec->umask = 027;
    add_variable(s, "MINE", "yes");
    run_with_reload(s, "echo $MAINPID $MINE $ORDERLY_SERVICE ${ORDERLY_READY_FD-none} $(umask); "
                       "pwd; test $(cut -d' ' -f6 /proc/$$/stat) = $$ && echo session; "
                       "ls -l /proc/$$/fd/0 | grep -o '/dev/null$'; ls /proc/$$/fd");
    event = expect(s, 1, BACKEND_RELOADED);
    assert_int_equal(event.exit.kind, EXIT_CODE);
    assert_int_equal(event.exit.value, 0);
    snprintf(expected, sizeof expected, "%d yes web none 0027\n/\nsession\n/dev/null\n0\n1\n2\n",
             s->witness.events[0].pid);
    output = scene_output(s);
    assert_string_equal(output, expected);
    free(output);
}

static void it_runs_as_the_user_of_the_service(void **state)
{
    struct scene *s = *state;
    char *output;

    if (geteuid() != 0)
        skip();
    s->spec->set_user = true;
    s->spec->uid = s->spec->gid = 65534;
    run_with_reload(s, "id -u; id -g");
    expect(s, 1, BACKEND_RELOADED);
    output = scene_output(s);
    assert_string_equal(output, "65534\n65534\n");
    free(output);
}

static void how_it_ended_is_told_and_the_service_goes_on(void **state)
{
    struct scene *s = *state;
    struct backend_event event;

    run_with_reload(s, "exit 3");
    assert_int_equal(expect(s, 1, BACKEND_RELOADED).exit.value, 3);
    assert_null(s->witness.events[1].detail);
    set_reload(s, "kill -USR2 $$");
    reload(s);
    event = expect(s, 2, BACKEND_RELOADED);
    assert_int_equal(event.exit.kind, EXIT_SIGNAL);
    assert_int_equal(event.exit.value, SIGUSR2);
    assert_int_equal(kill(s->witness.events[0].pid, 0), 0);
}

static void one_that_cannot_be_executed_says_why(void **state)
{
    struct scene *s = *state;

    scene_run(s, "exec " LONG_AGO_SLEEP);
    expect(s, 0, BACKEND_STARTED);
    string_list_add(&s->spec->reload_argv, "/no/such/program");
    reload(s);
    assert_int_equal(expect(s, 1, BACKEND_RELOADED).exit.value, 127);
    assert_string_equal(s->witness.detail,
                        "cannot execute /no/such/program: No such file or directory");
}

static void it_may_be_run_again_and_again(void **state)
{
    struct scene *s = *state;

    run_with_reload(s, "exit 0");
    for (size_t i = 1; i < EVENTS_MAX; i++) {
        expect(s, i, BACKEND_RELOADED);
        if (i + 1 < EVENTS_MAX)
            reload(s);
    }
    s->witness.count = 0;
}

static void one_at_a_time_and_only_beside_a_main_process(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    char fifo[128];

    make_fifo(s, fifo);
    run_with_reload(s, "echo runs > $F; read line < $F");
    expect_line(fifo, "runs");
    assert_int_equal(try_reload(s, &err), -EBUSY);
    let_go(fifo);
    expect(s, 1, BACKEND_RELOADED);
    kill_all(s);
    expect(s, 2, BACKEND_MAIN_EXITED);
    expect(s, 3, BACKEND_TREE_GONE);
    assert_int_equal(try_reload(s, &err), -ESRCH);
    assert_string_equal(err.text, "the main process has gone");
    assert_int_equal(s->witness.count, 4);
}

/* ---- its end, and the tree's ---- */

static void giving_it_up_kills_its_process_group_and_nothing_else(void **state)
{
    struct scene *s = *state;
    struct backend_event event;
    char fifo[128];

    make_fifo(s, fifo);
    run_with_reload(s, HOLD "sleep 86400 & echo runs > $F; wait");
    expect_line(fifo, "runs");
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_RELOAD, NULL), 0);
    event = expect(s, 1, BACKEND_RELOADED);
    assert_int_equal(event.exit.kind, EXIT_SIGNAL);
    assert_int_equal(event.exit.value, SIGKILL);
    assert_int_equal(kill(s->witness.events[0].pid, 0), 0);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_RELOAD, NULL), 0);
    kill_all(s);
    expect(s, 2, BACKEND_MAIN_EXITED);
    expect(s, 3, BACKEND_TREE_GONE);
    assert_false(anyone_left(s));
}

static void killing_the_tree_takes_it_along(void **state)
{
    struct scene *s = *state;
    char fifo[128];
    bool reloaded = false;

    make_fifo(s, fifo);
    run_with_reload(s, HOLD "setsid sleep 86400 & echo runs > $F; wait");
    expect_line(fifo, "runs");
    assert_true(anyone_left(s));
    kill_all(s);
    for (size_t i = 1; i < 3; i++) /* one before the other, as it happens */
        reloaded = witness_wait(&s->witness, i).kind == BACKEND_RELOADED || reloaded;
    assert_true(reloaded);
    expect(s, 3, BACKEND_TREE_GONE);
    assert_false(anyone_left(s));
}

static void a_stop_signal_after_the_main_process_has_gone_reaches_it_too(void **state)
{
    struct scene *s = *state;
    char fifo[128];

    make_fifo(s, fifo);
    run_with_reload(s, "echo runs > $F; exec sleep 86400");
    expect_line(fifo, "runs");
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_MAIN, NULL), 0);
    expect(s, 1, BACKEND_MAIN_EXITED);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGTERM, REACH_GROUP, NULL), 0);
    assert_int_equal(expect(s, 2, BACKEND_RELOADED).exit.value, SIGTERM);
    expect(s, 3, BACKEND_TREE_GONE);
}

static void the_tree_has_not_gone_while_it_runs(void **state)
{
    struct scene *s = *state;
    char fifo[128];

    make_fifo(s, fifo);
    run_with_reload(s, "echo runs > $F; read line < $F; exit 5");
    expect_line(fifo, "runs");
    assert_int_equal(s->backend->ops->signal(s->instance, SIGTERM, REACH_MAIN, NULL), 0);
    assert_int_equal(expect(s, 1, BACKEND_MAIN_EXITED).exit.value, SIGTERM);
    let_go(fifo);
    assert_int_equal(expect(s, 2, BACKEND_RELOADED).exit.value, 5);
    expect(s, 3, BACKEND_TREE_GONE);
}

static void what_it_leaves_behind_is_part_of_the_tree(void **state)
{
    struct scene *s = *state;
    char fifo[128];

    make_fifo(s, fifo);
    run_with_reload(s, HOLD "setsid sh -c 'echo runs > $F; exec sleep 86400' & exit 0");
    expect_line(fifo, "runs");
    expect(s, 1, BACKEND_RELOADED);
    assert_true(anyone_left(s));
    kill_all(s);
    expect(s, 2, BACKEND_MAIN_EXITED);
    expect(s, 3, BACKEND_TREE_GONE);
    assert_false(anyone_left(s));
}

/* Reloads and kills at once, from the start of the one to its end. */
static void reloads_that_race_with_the_end_of_the_tree_are_told_once_or_refused(void **state)
{
    struct scene *s = *state;

    set_reload(s, HOLD "exec sleep 86400");
    add_variable(s, "OUT", s->output);
    for (int round = 0; round < 20; round++) {
        size_t told = 0, count = 0;
        enum backend_event_kind kind;
        bool begun;

        scene_run(s, "exec sleep 86400");
        expect(s, 0, BACKEND_STARTED);
        if (round % 2)
            kill(s->witness.events[0].pid, SIGKILL);
        begun = try_reload(s, NULL) == 0;
        kill_all(s);
        do {
            kind = witness_wait(&s->witness, count++).kind;
            told += kind == BACKEND_RELOADED;
        } while (kind != BACKEND_TREE_GONE);
        assert_int_equal(told, begun);
        assert_int_equal(s->witness.count, count);
        assert_false(anyone_left(s));
        scene_forget(s);
    }
}

/* ---- signals to the main process ---- */

static void a_signal_to_the_main_process_reaches_nobody_else(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    char fifo[128];

    make_fifo(s, fifo);
    scene_run(s, "trap 'kill -0 $child && echo alone > $F' USR1; sleep 86400 & child=$!; "
                 "echo runs > $F; wait; wait");
    expect(s, 0, BACKEND_STARTED);
    expect_line(fifo, "runs");
    assert_int_equal(s->backend->ops->signal(s->instance, SIGUSR1, REACH_MAIN, &err), 0);
    expect_line(fifo, "alone");
}

static void a_signal_to_a_main_process_that_has_gone_is_refused(void **state)
{
    struct scene *s = *state;
    struct error err = {0};

    scene_run(s, "sleep 86400 & exit 0");
    expect(s, 0, BACKEND_STARTED);
    expect(s, 1, BACKEND_MAIN_EXITED);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGHUP, REACH_MAIN, &err), -ESRCH);
    assert_string_equal(err.text, "the main process has gone");
    kill_all(s);
    expect(s, 2, BACKEND_TREE_GONE);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGHUP, REACH_MAIN, &err), -ESRCH);
}

/* ---- output ---- */

static void what_it_says_goes_where_the_service_s_output_goes(void **state)
{
    struct scene *s = *state;
    char errors[160], text[64] = "";
    char *output;
    int fd;

    snprintf(errors, sizeof errors, "%s/errors", s->folder);
    fd = open(errors, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    s->error_output = errors;
    run_with_reload(s, "echo out; echo wrong >&2");
    expect(s, 1, BACKEND_RELOADED);
    output = scene_output(s);
    assert_string_equal(output, "out\n");
    assert_int_equal(read(fd, text, sizeof text - 1), 6);
    assert_string_equal(text, "wrong\n");
    free(output);
    close(fd);
    s->error_output = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH_WAYS(a_reload_command_runs_beside_the_main_process_whose_pid_it_is_told),
        IN_BOTH_WAYS(it_runs_as_the_user_of_the_service),
        IN_BOTH_WAYS(how_it_ended_is_told_and_the_service_goes_on),
        IN_BOTH_WAYS(one_that_cannot_be_executed_says_why),
        IN_BOTH_WAYS(it_may_be_run_again_and_again),
        IN_BOTH_WAYS(one_at_a_time_and_only_beside_a_main_process),
        IN_BOTH_WAYS(giving_it_up_kills_its_process_group_and_nothing_else),
        IN_BOTH_WAYS(killing_the_tree_takes_it_along),
        IN_BOTH_WAYS(a_stop_signal_after_the_main_process_has_gone_reaches_it_too),
        IN_BOTH_WAYS(the_tree_has_not_gone_while_it_runs),
        IN_BOTH_WAYS(what_it_leaves_behind_is_part_of_the_tree),
        IN_BOTH_WAYS(reloads_that_race_with_the_end_of_the_tree_are_told_once_or_refused),
        IN_BOTH_WAYS(a_signal_to_the_main_process_reaches_nobody_else),
        IN_BOTH_WAYS(a_signal_to_a_main_process_that_has_gone_is_refused),
        IN_BOTH_WAYS(what_it_says_goes_where_the_service_s_output_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
