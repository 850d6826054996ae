/* The scope beside our unit, and controllers in it. To be run as a service of the system's manager
 * (systemd-run --wait --pipe); elsewhere there is nothing to test. */
#include "scene.h"

#include "cgroup.h"
#include "controllers.h"
#include "identity.h"
#include "scope.h"

#include <errno.h>
#include <sys/wait.h>

static char *own_scope(void)
{
    struct own_unit unit;
    const char *reason;
    char *parent, *end;

    if (!own_unit_find(&unit) || unit.user || geteuid() != 0)
        return NULL;
    parent = cgroup_find_parent("/tmp/orderly-scope", &reason);
    if (!parent)
        fail_msg("%s", reason);
    rmdir(parent);
    end = strrchr(parent, '/');
    *end = '\0';
    return parent;
}

/* Skips where there is no scope to be had. */
static char *open_scope(void)
{
    struct error err = {0};
    int r = scope_open(ORDERLY_EXEC_PATH, &err);

    if (r < 0)
        fail_msg("%s", err.text);
    if (r == 0)
        skip();
    return own_scope();
}

static int keeper_pid(const char *scope)
{
    char path[512], text[32];

    snprintf(path, sizeof path, "%s/keeper/cgroup.procs", scope);
    return small_read(path, text, sizeof text) > 0 ? atoi(text) : 0;
}

static void close_scope(char *scope)
{
    scope_close();
    assert_false(keeper_lives(scope));
    free(scope);
}

static void services_groups_are_made_in_a_scope_that_is_made_once(void **state)
{
    char *scope = open_scope();
    int pid = keeper_pid(scope);
    struct error err = {0};

    (void)state;
    assert_non_null(strstr(scope, "-services.scope"));
    assert_true(pid > 0);
    assert_int_equal(scope_open(ORDERLY_EXEC_PATH, &err), 1);
    assert_int_equal(keeper_pid(scope), pid);
    close_scope(scope);
}

static void one_that_is_just_going_is_waited_for(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        close_scope(open_scope());
}

static void the_scope_stays_while_a_group_of_services_is_left_in_it(void **state)
{
    char *scope = open_scope();
    char group[600];

    (void)state;
    snprintf(group, sizeof group, "%s/" PARENT_NAME "test", scope);
    assert_int_equal(mkdir(group, 0755), 0);
    scope_close();
    assert_true(keeper_lives(scope));
    rmdir(group);
    close_scope(scope);
}

/* A process of its own in the group, as a service would be. */
static pid_t put_one_into(const char *group)
{
    char text[640];
    pid_t pid = fork();
    FILE *f;

    if (pid == 0) {
        pause();
        _exit(0);
    }
    snprintf(text, sizeof text, "%s/cgroup.procs", group);
    f = fopen(text, "we");
    assert_non_null(f);
    fprintf(f, "%d", (int)pid);
    assert_int_equal(fclose(f), 0);
    return pid;
}

static void a_keeper_that_was_killed_gets_a_successor_in_the_same_scope(void **state)
{
    char *scope = open_scope();
    char group[600];
    struct error err = {0};
    pid_t pid;

    (void)state;
    snprintf(group, sizeof group, "%s/" PARENT_NAME "test", scope);
    assert_int_equal(mkdir(group, 0755), 0);
    pid = put_one_into(group);
    keeper_end(scope);
    assert_false(keeper_lives(scope));
    if (scope_open(ORDERLY_EXEC_PATH, &err) != 1)
        fail_msg("%s", err.text);
    assert_true(keeper_lives(scope));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    rmdir(group);
    close_scope(scope);
}

static bool lists(const char *group, const char *file, const char *name)
{
    char path[800], text[1024];

    snprintf(path, sizeof path, "%s/%s", group, file);
    return small_read(path, text, sizeof text) > 0 && strstr(text, name);
}

static void a_controller_can_be_enabled_in_it(void **state)
{
    char *scope = open_scope();
    char path[700], list[256], name[32], parent[600], group[700];
    struct error err = {0};
    int fd;

    (void)state;
    snprintf(path, sizeof path, "%s/cgroup.controllers", scope);
    if (small_read(path, list, sizeof list) <= 0 || sscanf(list, "%31s", name) != 1) {
        close_scope(scope);
        skip();
    }
    snprintf(parent, sizeof parent, "%s/" PARENT_NAME "test", scope);
    assert_int_equal(mkdir(parent, 0755), 0);
    if (controller_enable(parent, name, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(lists(parent, "cgroup.subtree_control", name));
    snprintf(group, sizeof group, "%s/web.1", parent);
    fd = cgroup_make(group, &err);
    assert_true(fd >= 0);
    close(fd);
    assert_true(lists(group, "cgroup.controllers", name));
    rmdir(group);
    rmdir(parent);
    close_scope(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services_groups_are_made_in_a_scope_that_is_made_once),
        cmocka_unit_test(one_that_is_just_going_is_waited_for),
        cmocka_unit_test(the_scope_stays_while_a_group_of_services_is_left_in_it),
        cmocka_unit_test(a_keeper_that_was_killed_gets_a_successor_in_the_same_scope),
        cmocka_unit_test(a_controller_can_be_enabled_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
