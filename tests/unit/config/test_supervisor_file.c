#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "scratch.h"

#include <stdlib.h>
#include <unistd.h>

static void expect_path(const struct scratch *s, const char *path, const char *below)
{
    assert_memory_equal(path, s->folder, strlen(s->folder));
    assert_string_equal(path + strlen(s->folder), below);
}

static void an_empty_file_gives_the_defaults(void **state)
{
    struct config *c;
    struct scratch s;

    (void)state;
    scratch_open(&s, "");
    c = scratch_config(&s);
    assert_non_null(c);
    assert_int_equal(s.problems.count, 0);
    expect_path(&s, c->file, "/supervisor.conf");
    expect_path(&s, c->services_dir, "/services.d");
    assert_int_equal(c->workers, 0);
    assert_int_equal(c->shutdown_timeout_us, 60 * USEC_PER_SEC);
    assert_true(c->resume);
    assert_int_equal(c->log_level, LOG_LEVEL_INFO);
    assert_int_equal(c->log_target, LOG_TARGET_AUTO);
    assert_null(c->group);
    assert_null(c->listen);
    assert_int_equal(c->timeout_us, 30 * USEC_PER_SEC);
    assert_int_equal(c->queue_limit, 64);
    assert_int_equal(c->queue_limit_total, 16384);
    assert_int_equal(c->history_count, 10000);
    assert_int_equal(c->history_age_us, 30 * 86400 * USEC_PER_SEC);
    assert_false(c->durability_full);
    config_free(c);
    scratch_close(&s);
}

static void root_has_the_system_s_folders(void **state)
{
    struct config *c;
    struct scratch s;

    (void)state;
    if (geteuid() != 0)
        skip();
    scratch_open(&s, "");
    c = scratch_config(&s);
    assert_non_null(c);
    assert_string_equal(c->state_dir, "/var/lib/orderly");
    assert_string_equal(c->runtime_dir, "/run/orderly");
    assert_string_equal(c->log_dir, "/var/log/orderly");
    assert_string_equal(c->socket, "/run/orderly/api.sock");
    assert_string_equal(c->token_file, "/var/lib/orderly/token");
    config_free(c);
    scratch_close(&s);
}

/* As uid 65534, with this environment; NULL: unset. */
static struct config *load_as_nobody(struct scratch *s, const char *home, const char *state_home,
                                     const char *runtime)
{
    const char *const names[] = {"HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"};
    const char *const values[] = {home, state_home, runtime};
    struct config *config;
    char path[80];

    for (int i = 0; i < 3; i++)
        if (values[i])
            setenv(names[i], values[i], 1);
        else
            unsetenv(names[i]);
    snprintf(path, sizeof path, "%s/supervisor.conf", s->folder);
    assert_int_equal(chmod(path, 0644), 0);
    if (geteuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    config = scratch_config(s);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    return config;
}

static void others_have_folders_of_their_own(void **state)
{
    struct config *c;
    struct scratch s;
    char expected[64];

    (void)state;
    scratch_open(&s, "");
    c = load_as_nobody(&s, "/home/me", "relative", "/run/user/1");
    assert_non_null(c);
    assert_string_equal(c->state_dir, "/home/me/.local/state/orderly");
    assert_string_equal(c->log_dir, "/home/me/.local/state/orderly/log");
    assert_string_equal(c->runtime_dir, "/run/user/1/orderly");
    assert_string_equal(c->socket, "/run/user/1/orderly/api.sock");
    config_free(c);
    c = load_as_nobody(&s, NULL, "/state", NULL);
    assert_non_null(c);
    snprintf(expected, sizeof expected, "/tmp/orderly-%u", getuid() == 0 ? 65534 : getuid());
    assert_string_equal(c->state_dir, "/state/orderly");
    assert_string_equal(c->token_file, "/state/orderly/token");
    assert_string_equal(c->runtime_dir, expected);
    config_free(c);
    c = load_as_nobody(&s, NULL, NULL, NULL); /* from the user database */
    assert_non_null(c);
    assert_int_equal(c->state_dir[0], '/');
    config_free(c);
    scratch_close(&s);
}

static void what_is_written_arrives(void **state)
{
    static const char text[] =
        "[daemon]\nstate_dir = run/state\nruntime_dir = ./r\nlog_dir = /l/\nservices_dir = sv\n"
        "workers = 3\nshutdown_timeout = 2m\nresume = no\nlog_level = debug\nlog_target = file\n"
        "[api]\nsocket = s\ntoken_file = t\nlisten =\n"
        "[operations]\ntimeout = 10s\nqueue_limit = 1\nqueue_limit_total = 2\n"
        "history_count = 0\nhistory_age = 1h\n[journal]\ndurability = full\n";
    struct config *c;
    struct scratch s;

    (void)state;
    scratch_open(&s, text);
    c = scratch_config(&s);
    assert_non_null(c);
    expect_path(&s, c->state_dir, "/run/state");
    expect_path(&s, c->runtime_dir, "/r");
    assert_string_equal(c->log_dir, "/l");
    expect_path(&s, c->services_dir, "/sv");
    expect_path(&s, c->socket, "/s");
    expect_path(&s, c->token_file, "/t");
    assert_null(c->listen);
    assert_int_equal(c->workers, 3);
    assert_int_equal(c->shutdown_timeout_us, 120 * USEC_PER_SEC);
    assert_false(c->resume);
    assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(c->log_target, LOG_TARGET_FILE);
    assert_int_equal(c->timeout_us, 10 * USEC_PER_SEC);
    assert_int_equal(c->queue_limit_total, 2);
    assert_int_equal(c->history_count, 0);
    assert_true(c->durability_full);
    config_free(c);
    scratch_close(&s);
}

/* A path of n bytes; the caller frees. */
static char *long_path(size_t n)
{
    char *path = malloc(n + 1);

    assert_non_null(path);
    for (size_t i = 0; i < n; i++)
        path[i] = i % 100 == 0 ? '/' : 'x';
    path[n] = '\0';
    return path;
}

static void expect_refused(const char *key, const char *value, const char *says)
{
    struct scratch s;
    char *text;

    assert_true(asprintf(&text, "%s = %s\n", key, value) > 0);
    scratch_open(&s, text);
    assert_null(scratch_config(&s));
    scratch_expect(&s, says);
    scratch_close(&s);
    free(text);
}

static void paths_that_can_not_be_made_are_refused(void **state)
{
    CLEANUP(freep)
    char *socket = long_path(108);
    CLEANUP(freep)
    char *runtime = long_path(105);
    CLEANUP(freep)
    char *longest = long_path(4000);
    char component[300] = "/";

    (void)state;
    memset(component + 1, 'y', 256);
    expect_refused("[api]\nsocket", socket, "error: socket: a Unix socket's path has at most 107");
    expect_refused("[daemon]\nruntime_dir", runtime,
                   ":2:15: error: runtime_dir: too long for the socket in it");
    expect_refused("[api]\nsocket = /s\n[daemon]\nruntime_dir", longest,
                   ":4:15: error: runtime_dir: no such path can be made: it is too long");
    expect_refused("[daemon]\nlog_dir", component, "longer than 255 bytes");
    expect_refused("[daemon]\nstate_dir", "", ":2:13: error: state_dir: expected a path; got \"\"");
}

static void a_file_that_can_not_be_read_is_an_error_that_names_it(void **state)
{
    struct problems problems = {0};

    (void)state;
    assert_null(config_load("/nonexistent/supervisor.conf", &problems));
    assert_null(config_load("/tmp", &problems));
    assert_int_equal(problems_errors(&problems), 2);
    assert_string_equal(problems.items[0].file, "/nonexistent/supervisor.conf");
    assert_non_null(strstr(problems.items[0].message, "No such file"));
    assert_non_null(strstr(problems.items[1].message, "not a regular file"));
    problems_deinit(&problems);
}

static void a_file_that_says_nothing_is_fine_wherever_it_is(void **state)
{
    struct problems problems = {0};
    struct config *config = config_load("/dev/null", &problems);

    (void)state;
    assert_non_null(config);
    assert_int_equal(problems.count, 0);
    config_free(config);
}

static void all_errors_are_told_at_once_and_in_order(void **state)
{
    struct scratch s;

    (void)state;
    scratch_open(&s, "[daemon]\nwrokers = 4\nlog_level = chatty\n[journl]\nx = y\n[api]\n"
                     "listen = 80x\ngroup = no-such-group\n[daemon]\nexit_with = web\n");
    assert_null(scratch_config(&s));
    assert_int_equal(problems_errors(&s.problems), 7);
    scratch_expect(&s, "/supervisor.conf:2:1: error: wrokers: there is no such key in [daemon]; "
                       "did you mean \"workers\"?\n"
                       "/supervisor.conf:3:13: error: log_level: got \"chatty\"; expected error, "
                       "warning, info or debug\n"
                       "/supervisor.conf:4:1: error: there is no section [journl]; did you mean "
                       "[journal]?\n"
                       "/supervisor.conf:7:10: error: listen: expected ADDRESS:PORT in numbers, "
                       "such as 127.0.0.1:8700 or [::1]:8700, or a port of loopback from 1 to "
                       "65535; got \"80x\"\n"
                       "/supervisor.conf:8:9: error: group: there is no group \"no-such-group\"\n"
                       "/supervisor.conf:9:1: error: section [daemon] stands twice; it began in "
                       "line 1\n"
                       "/supervisor.conf:10:1: error: exit_with: ending together with a service is "
                       "not built into this version\n");
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_gives_the_defaults),
        cmocka_unit_test(root_has_the_system_s_folders),
        cmocka_unit_test(others_have_folders_of_their_own),
        cmocka_unit_test(what_is_written_arrives),
        cmocka_unit_test(paths_that_can_not_be_made_are_refused),
        cmocka_unit_test(a_file_that_can_not_be_read_is_an_error_that_names_it),
        cmocka_unit_test(a_file_that_says_nothing_is_fine_wherever_it_is),
        cmocka_unit_test(all_errors_are_told_at_once_and_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
