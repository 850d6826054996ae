/* Limits and the controllers that keep them. What the machine has on cgroup version 2 differs: the
 * way of enabling is tried with any controller there, in groups of the test's own; the files of
 * limits are written into a folder that stands where a group would. */
#include "scene.h"

#include "cgroup.h"
#include "controllers.h"
#include "identity.h"
#include "limits.h"

#include <errno.h>
#include <sys/wait.h>

static bool file_lists(const char *folder, const char *file, const char *word)
{
    char path[512], text[1024];

    snprintf(path, sizeof path, "%s/%s", folder, file);
    return small_read(path, text, sizeof text) > 0 && strstr(text, word);
}

static int put(const char *folder, const char *file, const char *text)
{
    char path[512];
    int fd, r;

    snprintf(path, sizeof path, "%s/%s", folder, file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    r = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    return r;
}

static char *read_whole(const char *folder, const char *file)
{
    struct error err = {0};
    char path[512], *data = NULL;
    size_t len;

    snprintf(path, sizeof path, "%s/%s", folder, file);
    if (file_read(path, 4096, &data, &len, &err) < 0)
        fail_msg("%s", err.text);
    return data;
}

/* ---- enabling, for real ---- */

struct ground {
    char name[32]; /* of a controller that may be enabled here */
    char top[300]; /* a group of the test's own, in which it is available */
    char parent[400];
    bool was_enabled;
    char root[256];
};

/* The folder that our groups are made in, less the part of it that is ours. */
static bool find_root(struct ground *g)
{
    const char *reason;
    char *parent = cgroup_find_parent("/tmp/orderly-limits", &reason);

    if (!parent)
        return false;
    rmdir(parent);
    *strrchr(parent, '/') = '\0';
    snprintf(g->root, sizeof g->root, "%s", parent);
    free(parent);
    return true;
}

static bool open_ground(struct ground *g)
{
    char text[512], list[40];

    if (!find_root(g))
        return false;
    snprintf(text, sizeof text, "%s/cgroup.controllers", g->root);
    if (small_read(text, list, sizeof list) <= 0 || sscanf(list, "%31s", g->name) != 1)
        return false;
    g->was_enabled = file_lists(g->root, "cgroup.subtree_control", g->name);
    snprintf(text, sizeof text, "+%s", g->name);
    if (!g->was_enabled && put(g->root, "cgroup.subtree_control", text) < 0)
        return false;
    snprintf(g->top, sizeof g->top, "%s/limits-%d", g->root, (int)getpid());
    snprintf(g->parent, sizeof g->parent, "%s/orderly-test", g->top);
    return mkdir(g->top, 0755) == 0 && mkdir(g->parent, 0755) == 0;
}

static void close_ground(struct ground *g)
{
    char text[64];

    cgroup_remove(g->top);
    snprintf(text, sizeof text, "-%s", g->name);
    if (!g->was_enabled)
        put(g->root, "cgroup.subtree_control", text);
}

static int on_ground(void **state)
{
    struct ground *g = calloc(1, sizeof *g);

    if (!open_ground(g))
        g->top[0] = '\0';
    *state = g;
    return 0;
}

static int off_ground(void **state)
{
    struct ground *g = *state;

    if (g->top[0])
        close_ground(g);
    free(g);
    return 0;
}

#define NEEDS_GROUND(g)                                                                            \
    do {                                                                                           \
        if (!(g)->top[0])                                                                          \
            skip();                                                                                \
    } while (0)

static void a_controller_is_enabled_where_nobody_is_in_the_way(void **state)
{
    struct ground *g = *state;
    struct error err = {0};

    NEEDS_GROUND(g);
    assert_int_equal(controller_check(g->parent, g->name, &err), 0);
    assert_false(file_lists(g->top, "cgroup.subtree_control", g->name));
    if (controller_enable(g->parent, g->name, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(file_lists(g->parent, "cgroup.subtree_control", g->name));
    assert_int_equal(controller_enable(g->parent, g->name, &err), 0);
}

/* In a process of its own that sits in the group: 0 when all went as it should. */
static int sit_and_enable(struct ground *g)
{
    char leaf[500];
    struct error err = {0};

    snprintf(leaf, sizeof leaf, "%s" DAEMON_GROUP_SUFFIX, g->parent);
    if (put(g->top, "cgroup.procs", "0") < 0)
        return 1;
    if (controller_enable(g->parent, g->name, &err) < 0) {
        print_error("%s\n", err.text);
        return 2;
    }
    if (!file_lists(g->parent, "cgroup.subtree_control", g->name) || access(leaf, F_OK) < 0)
        return 3;
    rmdir(g->parent);
    controllers_leave(g->parent);
    if (access(leaf, F_OK) == 0 || file_lists(g->top, "cgroup.subtree_control", g->name))
        return 4;
    return 0;
}

static void a_daemon_that_is_in_the_way_moves_aside_and_back(void **state)
{
    struct ground *g = *state;
    int status;
    pid_t pid;

    NEEDS_GROUND(g);
    pid = fork();
    if (pid == 0)
        _exit(sit_and_enable(g));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_group_that_holds_others_too_is_left_alone(void **state)
{
    struct ground *g = *state;
    struct error err = {0};
    pid_t pid;
    int r;

    NEEDS_GROUND(g);
    pid = fork(); /* the sitter's child is what stands in the way: not ours, but its own */
    if (pid == 0) {
        pid_t child;

        put(g->top, "cgroup.procs", "0");
        child = fork();
        if (child == 0) {
            pause();
            _exit(0);
        }
        put(g->root, "cgroup.procs", "0");
        kill(getpid(), SIGSTOP);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
    r = controller_enable(g->parent, g->name, &err);
    kill(pid, SIGCONT);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(r, -EBUSY);
    assert_non_null(strstr(err.text, "holds other processes too"));
    assert_false(file_lists(g->top, "cgroup.subtree_control", g->name));
}

static void a_controller_that_no_kernel_has_is_said_to_be_missing(void **state)
{
    struct ground *g = *state;
    struct error err = {0};
    char expected[512];

    NEEDS_GROUND(g);
    assert_int_equal(controller_enable(g->parent, "nonsense", &err), -ENOTSUP);
    snprintf(expected, sizeof expected,
             "the controller \"nonsense\" is not available at %s: run in a group that it is "
             "delegated to (systemd: Delegate=yes)",
             g->top);
    assert_string_equal(err.text, expected);
}

/* ---- the files ---- */

static void make_file(const char *folder, const char *file)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, file);
    f = fopen(path, "we");
    assert_non_null(f);
    fclose(f);
}

static void expect_file(const char *folder, const char *file, const char *expected)
{
    char *data = read_whole(folder, file);

    assert_string_equal(data, expected);
    free(data);
}

static void limits_are_written_as_the_kernel_wants_them(void **state)
{
    struct scene *s = *state;
    struct error err = {0};

    make_file(s->folder, "memory.max");
    make_file(s->folder, "memory.oom.group");
    make_file(s->folder, "cpu.max");
    make_file(s->folder, "pids.max");
    s->spec->memory = 64 << 20;
    s->spec->cpu_milli = 1500;
    s->spec->tasks = 20;
    if (limits_write(s->folder, s->spec, &err) < 0)
        fail_msg("%s", err.text);
    expect_file(s->folder, "memory.max", "67108864");
    expect_file(s->folder, "memory.oom.group", "1");
    expect_file(s->folder, "cpu.max", "150000 100000");
    expect_file(s->folder, "pids.max", "20");
}

static void a_limit_that_cannot_be_written_is_named_and_none_that_is_not_set(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    char expected[300];

    assert_int_equal(limits_write(s->folder, s->spec, &err), 0);
    s->spec->tasks = 20;
    assert_int_equal(limits_write(s->folder, s->spec, &err), -ENOENT);
    snprintf(expected, sizeof expected, "write 20 to %s/pids.max: No such file or directory",
             s->folder);
    assert_string_equal(err.text, expected);
}

/* ---- what the backend says ---- */

static void without_groups_no_limit_can_be_kept_but_none_is_fine(void **state)
{
    struct scene *s = *state;
    struct process_capabilities capabilities;
    char text[256] = "";

    scene_open_backend(s);
    assert_true(process_backend_can_limit(s->backend, s->spec, text));
    s->spec->cpu_milli = 500;
    assert_false(process_backend_can_limit(s->backend, s->spec, text));
    assert_string_equal(text, "cpu: services have no control group here, for "
                              "ORDERLY_CONTAINMENT=best-effort is set; run where cgroup version 2 "
                              "may be divided (systemd: Delegate=yes)");
    process_backend_capabilities(s->backend, &capabilities);
    assert_false(capabilities.memory_limit || capabilities.cpu_limit || capabilities.tasks_limit);
}

/* Each limit is either kept or refused by the name of its key, as the capabilities say. */
static void what_is_said_to_be_possible_is_and_the_rest_is_refused_by_name(void **state)
{
    struct scene *s = *state;
    struct process_capabilities capabilities;
    struct {
        const char *key;
        int64_t *value, set;
        bool possible;
    } cases[] = {{"memory: ", &s->spec->memory, 64 << 20, false},
                 {"cpu: ", &s->spec->cpu_milli, 500, false},
                 {"tasks: ", &s->spec->tasks, 20, false}};

    scene_open_backend(s);
    process_backend_capabilities(s->backend, &capabilities);
    cases[0].possible = capabilities.memory_limit;
    cases[1].possible = capabilities.cpu_limit;
    cases[2].possible = capabilities.tasks_limit;
    for (size_t i = 0; i < 3; i++) {
        char text[256] = "";

        *cases[i].value = cases[i].set;
        assert_int_equal(process_backend_can_limit(s->backend, s->spec, text), cases[i].possible);
        if (!cases[i].possible)
            assert_ptr_equal(strstr(text, cases[i].key), text);
        *cases[i].value = -1;
    }
}

/* The one that only root with every capability may do. */
static void an_oom_score_below_our_own_is_refused_clearly_where_it_may_not_be_had(void **state)
{
    struct scene *s = *state;
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    bool may = fd >= 0 && write(fd, "-1000", 5) == 5;

    if (may)
        assert_int_equal(write(fd, "0", 1), 1);
    close(fd);
    if (may)
        skip();
    s->spec->set_oom_score_adjust = true;
    s->spec->oom_score_adjust = -1000;
    scene_run(s, "exit 0");
    expect(s, 0, BACKEND_START_ERROR);
    expect(s, 1, BACKEND_MAIN_EXITED);
    expect(s, 2, BACKEND_TREE_GONE);
    assert_string_equal(s->witness.detail,
                        "cannot set oom_score_adjust to -1000: Permission denied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_controller_is_enabled_where_nobody_is_in_the_way,
                                        on_ground, off_ground),
        cmocka_unit_test_setup_teardown(a_daemon_that_is_in_the_way_moves_aside_and_back, on_ground,
                                        off_ground),
        cmocka_unit_test_setup_teardown(a_group_that_holds_others_too_is_left_alone, on_ground,
                                        off_ground),
        cmocka_unit_test_setup_teardown(a_controller_that_no_kernel_has_is_said_to_be_missing,
                                        on_ground, off_ground),
        cmocka_unit_test_setup_teardown(limits_are_written_as_the_kernel_wants_them,
                                        setup_best_effort, scene_teardown),
        cmocka_unit_test_setup_teardown(
            a_limit_that_cannot_be_written_is_named_and_none_that_is_not_set, setup_best_effort,
            scene_teardown),
        cmocka_unit_test_setup_teardown(without_groups_no_limit_can_be_kept_but_none_is_fine,
                                        setup_best_effort, scene_teardown),
        cmocka_unit_test_setup_teardown(
            what_is_said_to_be_possible_is_and_the_rest_is_refused_by_name, setup_cgroup,
            scene_teardown),
        IN_BOTH_WAYS(an_oom_score_below_our_own_is_refused_clearly_where_it_may_not_be_had),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
