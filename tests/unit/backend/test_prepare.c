/* The next instance, made while another still stops: it waits at its gate, and nobody sees it. */
#include "scene.h"

#include "process_instance.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SYS_poll /* on newer architectures */
#define SYS_poll SYS_ppoll
#endif

static struct launch launch_of(struct scene *s, int64_t generation)
{
    return (struct launch){.spec = s->spec, .generation = generation, .fifo = s->output};
}

static struct instance *prepare(struct scene *s, int64_t generation)
{
    struct launch launch = launch_of(s, generation);
    struct instance *prepared = NULL;
    struct error err = {0};

    if (!s->backend)
        scene_open_backend(s);
    if (s->backend->ops->prepare(s->backend, &launch, &s->witness, &prepared, &err) < 0)
        fail_msg("%s", err.text);
    return prepared;
}

static int start_prepared(struct scene *s, struct instance *prepared)
{
    struct launch launch = launch_of(s, prepared->generation);

    launch.prepared = prepared;
    return s->backend->ops->start(s->backend, &launch, &s->witness, &s->instance, NULL);
}

/* Of this process; -1: none. */
static pid_t only_child(void)
{
    char path[64], line[32] = "";
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    file = fopen(path, "r");
    assert_non_null(file);
    if (!fgets(line, sizeof line, file))
        line[0] = '\0';
    fclose(file);
    return line[0] ? (pid_t)atoi(line) : -1;
}

/* Open ones, which a next daemon would adopt. */
static size_t records(struct scene *s)
{
    struct instances *instances = process_of(s->backend)->instances;
    struct instance_data data;
    size_t open = 0;

    for (size_t i = 0; i < instances_count(instances); i++)
        open += instances_read(instances, i, &data);
    return open;
}

static void it_runs_once_it_is_started_and_not_before(void **state)
{
    struct scene *s = *state;
    struct instance *prepared;
    char *output;

    scene_script(s, "echo ran");
    prepared = prepare(s, 7);
    assert_int_equal(records(s), 0); /* nobody would adopt it */
    output = scene_output(s);
    assert_string_equal(output, "");
    free(output);
    assert_int_equal(s->witness.count, 0);
    assert_int_equal(start_prepared(s, prepared), 0);
    assert_ptr_equal(s->instance, prepared);
    expect(s, 0, BACKEND_STARTED);
    expect(s, 1, BACKEND_MAIN_EXITED);
    assert_int_equal(expect(s, 2, BACKEND_TREE_GONE).generation, 7);
    output = scene_output(s);
    assert_string_equal(output, "ran\n");
    free(output);
}

static void one_that_is_not_wanted_leaves_nothing(void **state)
{
    struct scene *s = *state;
    struct instance *prepared;
    char *output;

    scene_script(s, "echo ran");
    prepared = prepare(s, 7);
    assert_true(only_child() > 0);
    prepared->ops->release(prepared);
    assert_int_equal(only_child(), -1);
    assert_int_equal(records(s), 0);
    output = scene_output(s);
    assert_string_equal(output, "");
    free(output);
    assert_int_equal(s->witness.count, 0);
    prepared = prepare(s, 7); /* its group can be made again */
    prepared->ops->release(prepared);
}

static void it_stands_beside_the_one_that_runs(void **state)
{
    struct scene *s = *state;
    struct instance *before, *prepared;
    char *output;

    scene_run(s, LONG_AGO_SLEEP);
    expect(s, 0, BACKEND_STARTED);
    before = s->instance;
    scene_script(s, "echo next");
    prepared = prepare(s, 2);
    assert_int_equal(records(s), 1);
    assert_int_equal(before->ops->signal(before, SIGTERM, REACH_GROUP, NULL), 0);
    expect(s, 1, BACKEND_MAIN_EXITED);
    expect(s, 2, BACKEND_TREE_GONE);
    before->ops->release(before);
    assert_int_equal(start_prepared(s, prepared), 0);
    assert_int_equal(records(s), 1);
    assert_int_equal(expect(s, 3, BACKEND_STARTED).pid > 0, true);
    expect(s, 4, BACKEND_MAIN_EXITED);
    expect(s, 5, BACKEND_TREE_GONE);
    output = scene_output(s);
    assert_string_equal(output, "next\n");
    free(output);
}

static void one_that_was_killed_at_its_gate_ends_as_a_start_that_failed(void **state)
{
    struct scene *s = *state;
    struct instance *prepared;
    struct pollfd ended;
    pid_t executor;

    scene_script(s, "echo ran");
    prepared = prepare(s, 7);
    executor = only_child();
    ended = (struct pollfd){.fd = (int)syscall(SYS_pidfd_open, executor, 0), .events = POLLIN};
    kill(executor, SIGKILL);
    assert_int_equal(poll(&ended, 1, -1), 1);
    close(ended.fd);
    assert_int_equal(start_prepared(s, prepared), 0);
    expect(s, 0, BACKEND_START_ERROR);
    expect(s, 1, BACKEND_MAIN_EXITED);
    expect(s, 2, BACKEND_TREE_GONE);
}

static pid_t prepare_and_die(struct scene *s, int64_t generation)
{
    pid_t daemon, executor = -1;
    int told[2];

    assert_int_equal(pipe2(told, O_CLOEXEC), 0);
    daemon = fork();
    if (daemon == 0) {
        prepare(s, generation);
        executor = only_child();
        kill(executor, SIGSTOP); /* it would end at once */
        waitpid(executor, NULL, WUNTRACED);
        _exit(write(told[1], &executor, sizeof executor) != sizeof executor);
    }
    close(told[1]);
    assert_int_equal(read(told[0], &executor, sizeof executor), (ssize_t)sizeof executor);
    close(told[0]);
    assert_int_equal(waitpid(daemon, NULL, 0), daemon);
    return executor;
}

struct ending {
    pid_t executor, waiter;
    atomic_bool over; /* nobody has waited */
};

/* The executor goes on to its end when somebody waits in poll(). */
static void *end_when_waited_for(void *argument)
{
    struct ending *ending = argument;
    char path[64], line[256];
    long number = -1;

    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", (int)ending->waiter);
    while (number != SYS_poll && number != SYS_ppoll && !ending->over) {
        FILE *file = fopen(path, "re");

        if (!file || !fgets(line, sizeof line, file) || sscanf(line, "%ld", &number) != 1)
            number = -1; /* it is running */
        if (file)
            fclose(file);
        sched_yield();
    }
    kill(ending->executor, SIGCONT);
    return NULL;
}

/* It ends by itself, but no daemon knows when. */
static void one_that_a_killed_daemon_has_left_is_not_in_the_way(void **state)
{
    struct scene *s = *state;
    struct ending ending = {.waiter = gettid()};
    struct instance_record *left = NULL;
    struct launch launch;
    size_t count = 1;
    pthread_t thread;

    scene_script(s, "exit 0");
    ending.executor = prepare_and_die(s, 7);
    assert_int_equal(pthread_create(&thread, NULL, end_when_waited_for, &ending), 0);
    scene_open_backend(s);
    assert_int_equal(process_backend_left(s->backend, &left, &count, NULL), 0);
    ending.over = true;
    free(left);
    launch = launch_of(s, 7);
    count += s->backend->ops->start(s->backend, &launch, &s->witness, &s->instance, NULL) == 0;
    pthread_join(thread, NULL);
    assert_int_equal(count, 1); /* nothing was left, and it was started */
    expect(s, 0, BACKEND_STARTED);
    expect(s, 1, BACKEND_MAIN_EXITED);
    expect(s, 2, BACKEND_TREE_GONE);
}

/* The executor stays above the service there, and would be a second one. */
static void where_there_are_no_groups_nothing_is_prepared(void **state)
{
    struct scene *s = *state;
    struct launch launch = launch_of(s, 7);
    struct instance *prepared = NULL;

    scene_script(s, "echo ran");
    scene_open_backend(s);
    assert_int_equal(s->backend->ops->prepare(s->backend, &launch, &s->witness, &prepared, NULL),
                     -ENOTSUP);
    assert_null(prepared);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup_cgroup, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_runs_once_it_is_started_and_not_before),
        TEST(one_that_is_not_wanted_leaves_nothing),
        TEST(it_stands_beside_the_one_that_runs),
        TEST(one_that_was_killed_at_its_gate_ends_as_a_start_that_failed),
        TEST(one_that_a_killed_daemon_has_left_is_not_in_the_way),
        cmocka_unit_test_setup_teardown(where_there_are_no_groups_nothing_is_prepared,
                                        setup_best_effort, scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
