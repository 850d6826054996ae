/* What a service uses, each test with a cgroup and without. */
#include "scene.h"

#include <errno.h>
#include <signal.h>

static struct usage usage_of(struct scene *s)
{
    struct usage usage;

    usage_read(s->instance->place, s->witness.events[0].pid, &usage);
    return usage;
}

/* The service says it on the readiness FIFO when it has become what it is to be. */
static void run_until_ready(struct scene *s, const char *script)
{
    s->spec->readiness = READINESS_FD;
    scene_run(s, script);
    expect(s, 0, BACKEND_STARTED);
    expect(s, 1, BACKEND_READY);
}

static void the_tasks_of_the_whole_tree_are_counted(void **state)
{
    struct scene *s = *state;

    run_until_ready(s, "sleep 86400 & setsid sleep 86400 & (sleep 86400 &); echo >&3; wait");
    assert_int_equal(usage_of(s).tasks, 4);
}

static void memory_is_that_of_the_whole_tree(void **state)
{
    struct scene *s = *state;
    struct usage usage;

    run_until_ready(s, "setsid sh -c 'x=$(head -c 20000000 /dev/zero | tr \"\\0\" a); echo >&3; "
                       "sleep 86400; : $x' & wait");
    usage = usage_of(s);
    assert_in_range(usage.memory_bytes, 20000000, 400000000);
}

static void the_time_of_what_has_ended_counts_too(void **state)
{
    struct scene *s = *state;
    struct usage usage;

    run_until_ready(s, "sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; echo >&3; "
                       "exec sleep 86400");
    usage = usage_of(s);
    assert_in_range(usage.cpu_us, 10000, 60000000);
}

static void nothing_is_known_of_what_has_gone(void **state)
{
    struct scene *s = *state;
    char *place;
    struct usage usage;

    scene_run(s, "exit 0");
    expect(s, 2, BACKEND_TREE_GONE);
    place = s->instance->place ? strdup(s->instance->place) : NULL;
    usage_read(place, s->witness.events[0].pid, &usage);
    free(place);
    assert_int_equal(usage.memory_bytes, -1);
    assert_int_equal(usage.cpu_us, -1);
    assert_int_equal(usage.tasks, -1);
}

static void without_a_place_and_a_pid_nothing_is_known(void **state)
{
    struct usage usage;

    (void)state;
    usage_read(NULL, 0, &usage);
    assert_int_equal(usage.tasks, -1);
    usage_read("/no/such/group", 1, &usage);
    assert_int_equal(usage.tasks, -1);
}

static void a_tree_of_ours_is_found_without_any_executor_above(void **state)
{
    struct usage usage;

    (void)state;
    usage_read(NULL, getpid(), &usage);
    assert_true(usage.tasks >= 1);
    assert_true(usage.memory_bytes > 100000);
    assert_true(usage.cpu_us >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH_WAYS(the_tasks_of_the_whole_tree_are_counted),
        IN_BOTH_WAYS(memory_is_that_of_the_whole_tree),
        IN_BOTH_WAYS(the_time_of_what_has_ended_counts_too),
        IN_BOTH_WAYS(nothing_is_known_of_what_has_gone),
        cmocka_unit_test(without_a_place_and_a_pid_nothing_is_known),
        cmocka_unit_test(a_tree_of_ours_is_found_without_any_executor_above),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
