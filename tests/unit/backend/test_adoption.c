/* Adoption: a first daemon starts a service and dies without a word; a second one on the same
 * runtime folder takes over what it finds. */
#include "scene.h"

#include "base/hash.h"
#include "base/sys.h"
#include "identity.h"
#include "instances.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct told {
    pid_t pid;
};

/* Goes on as a child of one that inherits its orphans, and reaps none before the other end of the
 * pipe is closed. */
static void leave_orphans_to_nobody(int told, const int until[2])
{
    char byte;
    pid_t daemon;

    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        _exit(1);
    close(until[1]);
    daemon = fork();
    if (daemon == 0)
        return;
    close(told);
    while (read(until[0], &byte, 1) < 0)
        ;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    _exit(0);
}

/* In a process of its own, which ends as a killed daemon does: nothing is released. It takes that
 * many events, and then writes down how far the service is. */
static pid_t start_and_die_at(struct scene *s, size_t events, enum instance_phase phase)
{
    struct told told = {0};
    int pipe_fds[2];
    pid_t daemon;

    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    daemon = fork();
    if (daemon == 0) {
        if (s->unreaped)
            leave_orphans_to_nobody(pipe_fds[1], s->unreaped);
        scene_start(s);
        witness_wait(&s->witness, events - 1);
        s->backend->ops->mark(s->instance, phase);
        if (s->dies_reloading &&
            s->backend->ops->reload(
                s->instance, &(struct launch){.spec = s->spec, .generation = 1, .fifo = s->output},
                NULL) < 0)
            _exit(1);
        told.pid = s->witness.events[0].pid;
        if (write(pipe_fds[1], &told, sizeof told) != sizeof told)
            _exit(1);
        _exit(0);
    }
    close(pipe_fds[1]);
    assert_int_equal(read(pipe_fds[0], &told, sizeof told), (ssize_t)sizeof told);
    assert_int_equal(read(pipe_fds[0], &told, 1), 0); /* it has died */
    close(pipe_fds[0]);
    if (!s->unreaped)
        assert_int_equal(waitpid(daemon, NULL, 0), daemon);
    assert_true(told.pid > 0);
    return told.pid;
}

static pid_t start_and_die(struct scene *s, size_t events)
{
    return start_and_die_at(s, events, events > 1 ? PHASE_RUNNING : PHASE_STARTING);
}

static int adopt(struct scene *s)
{
    struct instance_record *records = NULL;
    struct error err = {0};
    size_t count = 0;
    int r;

    scene_open_backend(s);
    assert_int_equal(process_backend_left(s->backend, &records, &count, &err), 0);
    assert_int_equal(count, 1);
    assert_string_equal(records[0].service, "web");
    assert_int_equal(records[0].generation, 1);
    r = s->backend->ops->adopt(s->backend, s->spec, &records[0], &s->witness, &s->instance, &err);
    free(records);
    return r;
}

static int scan_number(int fd, int *ret_number)
{
    char text[32] = "";

    return read(fd, text, sizeof text - 1) > 0 ? sscanf(text, "%d", ret_number) : 0;
}

static bool lives(pid_t pid)
{
    struct process_stat st;

    return process_stat(pid, &st) == 0 && st.state != 'Z' && st.state != 'X';
}

static void a_running_service_is_taken_over_with_its_pid_and_without_an_event(void **state)
{
    struct scene *s = *state;
    pid_t pid;

    scene_script(s, "exec " LONG_AGO_SLEEP);
    pid = start_and_die(s, 1);
    assert_int_equal(adopt(s), 0);
    assert_int_equal(s->instance->pid, pid);
    assert_true(lives(pid));
    assert_int_equal(s->witness.count, 0);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGTERM, REACH_GROUP, NULL), 0);
    expect(s, 0, BACKEND_MAIN_EXITED);
    expect(s, 1, BACKEND_TREE_GONE);
    assert_false(lives(pid));
}

static void an_adopted_service_can_be_reloaded_and_its_main_process_signalled(void **state)
{
    struct scene *s = *state;
    char expected[32], *output;
    pid_t pid;

    scene_script(s, "exec " LONG_AGO_SLEEP);
    pid = start_and_die(s, 1);
    assert_int_equal(adopt(s), 0);
    string_list_add(&s->spec->reload_argv, "/bin/sh");
    string_list_add(&s->spec->reload_argv, "-c");
    string_list_add(&s->spec->reload_argv, "echo $MAINPID; exit 4");
    assert_int_equal(s->backend->ops->reload(
                         s->instance,
                         &(struct launch){.spec = s->spec, .generation = 1, .fifo = s->output},
                         NULL),
                     0);
    assert_int_equal(expect(s, 0, BACKEND_RELOADED).exit.value, 4);
    snprintf(expected, sizeof expected, "%d\n", (int)pid);
    output = scene_output(s);
    assert_string_equal(output, expected);
    free(output);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGTERM, REACH_MAIN, NULL), 0);
    expect(s, 1, BACKEND_MAIN_EXITED);
    expect(s, 2, BACKEND_TREE_GONE);
    assert_false(lives(pid));
}

/* The daemon dies while the command runs: it is a part of the tree, no more and no less. */
static void a_reload_command_that_outlived_its_daemon_goes_with_the_tree(void **state)
{
    struct scene *s = *state;
    char path[128], *script = NULL;
    int fd, reload;

    snprintf(path, sizeof path, "%s/reload", s->folder);
    assert_int_equal(mkfifo(path, 0666), 0);
    assert_true(asprintf(&script, "echo $$ > %s; exec sleep 86400", path) > 0);
    string_list_add(&s->spec->reload_argv, "/bin/sh");
    string_list_add(&s->spec->reload_argv, "-c");
    string_list_add(&s->spec->reload_argv, script);
    free(script);
    fd = open(path, O_RDWR | O_CLOEXEC);
    scene_script(s, "exec " LONG_AGO_SLEEP);
    s->dies_reloading = true;
    start_and_die(s, 1);
    assert_int_equal(scan_number(fd, &reload), 1);
    close(fd);
    assert_int_equal(adopt(s), 0);
    assert_true(lives(reload));
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL), 0);
    expect(s, 0, BACKEND_MAIN_EXITED);
    expect(s, 1, BACKEND_TREE_GONE);
    assert_false(lives(reload));
}

/* Where the kernel tells it, and whoever reaps orphans here does so. */
static void the_exit_status_of_an_adopted_process_is_its_own_or_said_to_be_unknown(void **state)
{
    struct scene *s = *state;
    struct exit_cause cause;

    scene_script(s, "trap 'exit 9' TERM; while :; do " LONG_AGO_SLEEP " & wait; done");
    start_and_die(s, 1);
    assert_int_equal(adopt(s), 0);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGTERM, REACH_GROUP, NULL), 0);
    cause = expect(s, 0, BACKEND_MAIN_EXITED).exit;
    if (cause.kind != EXIT_UNKNOWN && cause.kind != EXIT_SIGNAL) { /* TERM may come first */
        assert_int_equal(cause.kind, EXIT_CODE);
        assert_int_equal(cause.value, 9);
    }
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL),
                     0); /* the sleeper may have missed TERM */
    expect(s, 1, BACKEND_TREE_GONE);
}

/* Whoever inherits it may take its time to reap it, or never do so. */
static void the_exit_status_of_an_adopted_process_that_nobody_reaps_is_told(void **state)
{
    struct scene *s = *state;
    struct exit_cause cause;
    char path[128], script[256], up;
    int fd, until[2];

    snprintf(path, sizeof path, "%s/up", s->folder);
    snprintf(script, sizeof script,
             "trap 'exit 9' TERM; echo > %s; while :; do " LONG_AGO_SLEEP " & wait; done", path);
    assert_int_equal(mkfifo(path, 0666), 0);
    assert_int_equal(pipe2(until, O_CLOEXEC), 0);
    fd = open(path, O_RDWR | O_CLOEXEC);
    s->unreaped = until;
    scene_script(s, script);
    start_and_die(s, 1);
    assert_int_equal(read(fd, &up, 1), 1);
    close(fd);
    assert_int_equal(adopt(s), 0);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGTERM, REACH_MAIN, NULL), 0);
    cause = expect(s, 0, BACKEND_MAIN_EXITED).exit;
    assert_int_equal(cause.kind, EXIT_CODE);
    assert_int_equal(cause.value, 9);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL), 0);
    expect(s, 1, BACKEND_TREE_GONE);
    close(until[0]);
    close(until[1]);
    assert_true(wait(NULL) > 0);
}

static void a_whole_adopted_tree_is_killed(void **state)
{
    struct scene *s = *state;
    pid_t pid;

    s->spec->readiness = READINESS_FD;
    scene_script(s, "trap '' TERM; (setsid sh -c 'echo $$ > $OUT; echo >&3; exec sleep 86400' &); "
                    "sleep 86400 & wait");
    char *out = NULL;
    assert_true(asprintf(&out, "OUT=%s", s->output) > 0);
    string_list_add(&s->spec->environment, out);
    free(out);
    pid = start_and_die(s, 2);
    out = scene_output(s);
    assert_true(lives(atoi(out)));
    assert_int_equal(adopt(s), 0);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL), 0);
    expect(s, 0, BACKEND_MAIN_EXITED);
    expect(s, 1, BACKEND_TREE_GONE);
    assert_false(lives(pid));
    assert_false(lives(atoi(out)));
    free(out);
}

static void readiness_told_while_no_daemon_was_there_is_taken_once(void **state)
{
    struct scene *s = *state;
    char path[128];
    int fd;

    s->spec->readiness = READINESS_FD;
    scene_script(s, "exec " LONG_AGO_SLEEP);
    start_and_die(s, 1);
    snprintf(path, sizeof path, "%s/web/ready", s->folder);
    fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(write(fd, "\n", 1), 1);
    close(fd);
    assert_int_equal(adopt(s), 0);
    expect(s, 0, BACKEND_READY);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL), 0);
    expect(s, 1, BACKEND_MAIN_EXITED);
    expect(s, 2, BACKEND_TREE_GONE);
}

static void readiness_that_was_told_but_not_written_down_is_told_again(void **state)
{
    struct scene *s = *state;

    s->spec->readiness = READINESS_FD;
    scene_script(s, "echo >&3; exec " LONG_AGO_SLEEP);
    start_and_die_at(s, 2, PHASE_STARTING);
    assert_int_equal(adopt(s), 0);
    expect(s, 0, BACKEND_READY);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL), 0);
    expect(s, 1, BACKEND_MAIN_EXITED);
    expect(s, 2, BACKEND_TREE_GONE);
}

/* It may have told while nobody listened, and what it told went with the last open end. */
static void a_program_that_has_closed_its_end_counts_as_ready(void **state)
{
    struct scene *s = *state;
    char door[128], script[256];
    int fd;

    snprintf(door, sizeof door, "%s/door", s->folder);
    assert_int_equal(mkfifo(door, 0600), 0);
    snprintf(script, sizeof script, "exec 3>&-; read line <%s; exec " LONG_AGO_SLEEP, door);
    s->spec->readiness = READINESS_FD;
    scene_script(s, script);
    start_and_die(s, 1);
    fd = open(door, O_WRONLY | O_CLOEXEC); /* opens when it stands at the door: it has closed */
    assert_true(fd >= 0);
    assert_int_equal(adopt(s), 0);
    expect(s, 0, BACKEND_READY);
    close(fd);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL), 0);
    expect(s, 1, BACKEND_MAIN_EXITED);
    expect(s, 2, BACKEND_TREE_GONE);
}

/* Its end is closed, but by its death: that is not to be ready. */
static void what_ended_before_it_was_ready_and_is_not_reaped_is_not_called_ready(void **state)
{
    struct scene *s = *state;
    struct process_stat st = {0};
    char door[128], script[256];
    int until[2];
    pid_t pid;

    snprintf(door, sizeof door, "%s/door", s->folder);
    assert_int_equal(mkfifo(door, 0600), 0);
    snprintf(script, sizeof script, "read line <%s; exit 3", door);
    assert_int_equal(pipe2(until, O_CLOEXEC), 0);
    s->unreaped = until;
    s->spec->readiness = READINESS_FD;
    scene_script(s, script);
    pid = start_and_die(s, 1);
    close(open(door, O_WRONLY | O_CLOEXEC)); /* opens when it stands there: now it ends */
    while (process_stat(pid, &st) == 0 && st.state != 'Z')
        sched_yield();
    assert_int_equal(adopt(s), 0);
    expect(s, 0, BACKEND_MAIN_EXITED);
    expect(s, 1, BACKEND_TREE_GONE);
    close(until[0]);
    close(until[1]);
    assert_true(wait(NULL) > 0);
}

static void what_ended_while_no_daemon_was_there_is_told_at_once(void **state)
{
    struct scene *s = *state;
    pid_t pid;

    scene_script(s, "exec " LONG_AGO_SLEEP);
    pid = start_and_die(s, 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(adopt(s), 0);
    expect(s, 0, BACKEND_MAIN_EXITED);
    expect(s, 1, BACKEND_TREE_GONE);
}

static void a_tree_without_its_main_process_is_told_apart_and_killed(void **state)
{
    struct scene *s = *state;
    pid_t pid;

    s->spec->readiness = READINESS_FD;
    scene_script(s, "(setsid sh -c 'echo $$; echo >&3; exec sleep 86400' &); " LONG_AGO_SLEEP);
    pid = start_and_die(s, 2);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(adopt(s), 0);
    expect(s, 0, BACKEND_MAIN_EXITED);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL), 0);
    expect(s, 1, BACKEND_TREE_GONE);
}

/* As after a restart of the machine, when the same pid is somebody else's. */
static void pids_of_another_boot_are_never_touched(void **state)
{
    struct scene *s = *state;
    struct instances *file;
    struct process_stat self;
    struct instance_data data = {.service = "web", .generation = 1, .boot = 1};
    size_t slot;

    assert_int_equal(process_stat(getpid(), &self), 0);
    data.pid = data.executor = getpid();
    data.ticks = data.executor_ticks = self.ticks;
    data.parent = NO_PARENT;
    assert_int_equal(instances_open(s->folder, &file, NULL), 0);
    assert_int_equal(instances_reserve(file, "web", &slot, NULL), 0);
    instances_write(file, slot, &data);
    instances_free(file);
    assert_int_equal(adopt(s), 0);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL), 0);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_GROUP, NULL), 0);
    assert_int_equal(expect(s, 0, BACKEND_MAIN_EXITED).exit.kind, EXIT_UNKNOWN);
    expect(s, 1, BACKEND_TREE_GONE);
}

/* The same number, another start: reused by now. */
static void a_reused_pid_is_not_taken_for_the_service(void **state)
{
    struct scene *s = *state;
    struct instances *file;
    struct process_stat self;
    char identity[BOOT_IDENTITY_SIZE];
    struct instance_data data = {.service = "web", .generation = 1, .parent = NO_PARENT};
    size_t slot;

    assert_int_equal(boot_identity(identity, NULL), 0);
    assert_int_equal(process_stat(getpid(), &self), 0);
    data.boot = hash_text(HASH_SEED, identity);
    data.pid = data.executor = getpid();
    data.ticks = data.executor_ticks = self.ticks + 1;
    assert_int_equal(instances_open(s->folder, &file, NULL), 0);
    assert_int_equal(instances_reserve(file, "web", &slot, NULL), 0);
    instances_write(file, slot, &data);
    instances_free(file);
    assert_int_equal(adopt(s), 0);
    expect(s, 0, BACKEND_MAIN_EXITED);
    expect(s, 1, BACKEND_TREE_GONE);
}

static void an_executor_whose_main_pid_was_not_written_down_is_asked_for_it(void **state)
{
    struct scene *s = *state;
    struct instance_data data;
    struct instances *file;
    size_t slot;
    pid_t pid;

    scene_script(s, "exec " LONG_AGO_SLEEP);
    pid = start_and_die(s, 1);
    assert_int_equal(instances_open(s->folder, &file, NULL), 0);
    assert_int_equal(instances_claim(file, "web", 1, &slot, &data), 0);
    data.pid = 0;
    instances_write(file, slot, &data);
    instances_free(file);
    assert_int_equal(adopt(s), 0);
    assert_int_equal(expect(s, 0, BACKEND_STARTED).pid, pid); /* the pid is news */
    assert_int_equal(kill(pid, SIGTERM), 0);
    expect(s, 1, BACKEND_MAIN_EXITED);
    expect(s, 2, BACKEND_TREE_GONE);
}

static void a_released_instance_is_left_running_for_the_next_backend(void **state)
{
    struct scene *s = *state;
    pid_t pid;

    scene_run(s, "exec " LONG_AGO_SLEEP);
    pid = expect(s, 0, BACKEND_STARTED).pid;
    s->backend->ops->mark(s->instance, PHASE_RUNNING);
    scene_forget(s);
    scene_close_backend(s);
    assert_true(lives(pid));
    assert_int_equal(adopt(s), 0);
    assert_int_equal(s->backend->ops->signal(s->instance, SIGKILL, REACH_TREE, NULL), 0);
    expect(s, 0, BACKEND_MAIN_EXITED);
    expect(s, 1, BACKEND_TREE_GONE);
}

static void a_record_is_closed_only_by_the_release_after_the_end(void **state)
{
    struct scene *s = *state;
    struct instance_record *records;
    size_t count;

    scene_run(s, "exit 0");
    expect(s, 2, BACKEND_TREE_GONE);
    assert_int_equal(process_backend_left(s->backend, &records, &count, NULL), 0);
    free(records);
    assert_int_equal(count, 1);
    scene_forget(s);
    assert_int_equal(process_backend_left(s->backend, &records, &count, NULL), 0);
    free(records);
    assert_int_equal(count, 0);
    assert_int_equal(
        s->backend->ops->adopt(s->backend, s->spec,
                               &(struct instance_record){.service = "web", .generation = 1},
                               &s->witness, &s->instance, NULL),
        -ENOENT);
    s->instance = NULL;
}

#define WITHOUT_GROUPS(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, setup_best_effort, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH_WAYS(a_running_service_is_taken_over_with_its_pid_and_without_an_event),
        IN_BOTH_WAYS(an_adopted_service_can_be_reloaded_and_its_main_process_signalled),
        IN_BOTH_WAYS(a_reload_command_that_outlived_its_daemon_goes_with_the_tree),
        IN_BOTH_WAYS(the_exit_status_of_an_adopted_process_is_its_own_or_said_to_be_unknown),
        IN_BOTH_WAYS(the_exit_status_of_an_adopted_process_that_nobody_reaps_is_told),
        IN_BOTH_WAYS(a_whole_adopted_tree_is_killed),
        IN_BOTH_WAYS(readiness_told_while_no_daemon_was_there_is_taken_once),
        IN_BOTH_WAYS(readiness_that_was_told_but_not_written_down_is_told_again),
        IN_BOTH_WAYS(a_program_that_has_closed_its_end_counts_as_ready),
        IN_BOTH_WAYS(what_ended_before_it_was_ready_and_is_not_reaped_is_not_called_ready),
        IN_BOTH_WAYS(what_ended_while_no_daemon_was_there_is_told_at_once),
        IN_BOTH_WAYS(a_tree_without_its_main_process_is_told_apart_and_killed),
        WITHOUT_GROUPS(pids_of_another_boot_are_never_touched),
        WITHOUT_GROUPS(a_reused_pid_is_not_taken_for_the_service),
        WITHOUT_GROUPS(an_executor_whose_main_pid_was_not_written_down_is_asked_for_it),
        IN_BOTH_WAYS(a_released_instance_is_left_running_for_the_next_backend),
        IN_BOTH_WAYS(a_record_is_closed_only_by_the_release_after_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
