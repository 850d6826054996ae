#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "scratch.h"

#include <stdlib.h>

#define UNIT    "[service]\nbackend = systemd\nunit = nginx.service\n"
#define PROCESS "[service]\ncommand = /bin/true\n"

/* What is said of one service, web, whose file holds this: the caller frees. */
static char *said_of(const char *text, const char *supervisor)
{
    struct scratch s;
    char *said;

    scratch_open(&s, supervisor);
    scratch_service(&s, "web", text);
    scratch_load(&s);
    said = scratch_said(&s);
    scratch_close(&s);
    return said;
}

static void expect_all(const char *text, const char *says)
{
    CLEANUP(freep) char *said = said_of(text, "");

    if (strcmp(said, says) != 0)
        fail_msg("%s\nexpected: %s\nsaid:     %s", text, says, said);
}

/* Nothing else may be said: neither further errors nor warnings. */
static void expect(const char *text, const char *says)
{
    CLEANUP(freep) char *all = NULL;

    assert_true(asprintf(&all, "%s%s\n", "/services.d/web.conf:", says) > 0);
    expect_all(text, all);
}

/* ---- names ---- */

static void expect_unit(const char *unit, const char *says)
{
    CLEANUP(freep) char *text = NULL;
    CLEANUP(freep) char *all = NULL;

    assert_true(asprintf(&text, "[service]\nbackend = systemd\nunit = %s\n", unit) > 0);
    if (!says) {
        expect_all(text, "");
        return;
    }
    assert_true(asprintf(&all, "3:%s", says) > 0);
    expect(text, all);
}

static void the_name_of_a_unit_is_what_systemd_takes_for_one(void **state)
{
    static const char *const fine[] = {
        "nginx.service",
        "worker@3.service",
        "a.service",
        "getty@tty1.service",
        "a@b@c.service",
        "a@@.service",
        "dbus-:1.2@0.service",
        "dev-disk\\x2dby.service",
        "org.freedesktop.login1.service",
        "_.service",
        "-.service",
        "nginx.socket.service",
    };

    (void)state;
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        expect_unit(fine[i], NULL);
}

static void a_name_that_is_wrong_is_answered_with_the_one_that_was_meant(void **state)
{
    static const struct {
        const char *unit, *says;
    } examples[] = {
        {"", "8: error: unit: expected a unit such as nginx.service or worker@3.service; got \"\""},
        {"nginx", "8: error: unit: a unit has a suffix: did you mean nginx.service?"},
        {"nginx.", "8: error: unit: a unit has a suffix: did you mean nginx.service?"},
        {"nginx.sevrice", "8: error: unit: a unit has a suffix: did you mean nginx.service?"},
        {"nginx.Service", "8: error: unit: a unit has a suffix: did you mean nginx.service?"},
        {"my.app", "8: error: unit: a unit has a suffix: did you mean my.app.service?"},
        {"worker@", "8: error: unit: a unit has a suffix: did you mean worker@1.service?"},
        {"worker@3", "8: error: unit: a unit has a suffix: did you mean worker@3.service?"},
        {"nginx.socket",
         "8: error: unit: nginx.socket is a socket: Orderly drives services; the service that it "
         "starts is usually nginx.service"},
        {"backup.timer",
         "8: error: unit: backup.timer is a timer: Orderly drives services; the service that it "
         "starts is usually backup.service"},
        {"spool.path",
         "8: error: unit: spool.path is a path unit: Orderly drives services; the service that it "
         "starts is usually spool.service"},
        {"worker@.socket",
         "8: error: unit: worker@.socket is a socket: Orderly drives services; the service that "
         "it starts is usually worker@1.service"},
        {"multi-user.target",
         "8: error: unit: multi-user.target is a target: Orderly drives services"},
        {"home.mount", "8: error: unit: home.mount is a mount: Orderly drives services"},
        {"home.automount",
         "8: error: unit: home.automount is an automount: Orderly drives services"},
        {"a.swap", "8: error: unit: a.swap is a swap: Orderly drives services"},
        {"user.slice", "8: error: unit: user.slice is a slice: Orderly drives services"},
        {"init.scope", "8: error: unit: init.scope is a scope: Orderly drives services"},
        {"dev-sda.device", "8: error: unit: dev-sda.device is a device: Orderly drives services"},
        {"worker@.service",
         "8: error: unit: worker@.service is a template: name an instance, as worker@1.service"},
        {"@1.service", "8: error: unit: nothing stands before the @ in \"@1.service\""},
        {".service", "8: error: unit: nothing stands before the suffix in \".service\""},
        {"/lib/systemd/system/nginx.service",
         "8: error: unit: a unit goes by its name, not by a path: did you mean nginx.service?"},
        {"nginx.service/", "8: error: unit: a unit goes by its name, not by a path"},
        {"a/b", "8: error: unit: a unit goes by its name, not by a path"},
        {"nginx*.service", "13: error: unit: a service is one unit, not all that fit a pattern"},
        {"nginx?.service", "13: error: unit: a service is one unit, not all that fit a pattern"},
        {"worker@[12].service",
         "15: error: unit: a service is one unit, not all that fit a pattern"},
        {"a.service b.service",
         "17: error: unit: \" \" can't stand in the name of a unit: letters, digits and : - _ . \\ "
         "@"},
        {"a.service\tb.service",
         "17: error: unit: \"\\x09\" can't stand in the name of a unit: letters, digits and : - "
         "_ . \\ @"},
        {"worker@%i.service",
         "15: error: unit: \"%\" can't stand in the name of a unit: letters, digits and : - _ . \\ "
         "@"},
        {"caf\xc3\xa9.service",
         "11: error: unit: \"\xc3\xa9\" can't stand in the name of a unit: letters, digits and : - "
         "_ . \\ @"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        expect_unit(examples[i].unit, examples[i].says);
}

static void a_name_has_255_bytes_at_most(void **state)
{
    char unit[300];

    (void)state;
    memset(unit, 'x', sizeof unit);
    memcpy(unit + 247, ".service", 9);
    expect_unit(unit, NULL);
    memset(unit, 'x', sizeof unit);
    memcpy(unit + 248, ".service", 9);
    expect_unit(unit, "8: error: unit: expected at most 255 bytes; there are 256");
    unit[248] = '\0'; /* with the suffix it would be too long */
    expect_unit(unit, "8: error: unit: a unit has a suffix, such as .service");
}

/* ---- which keys go with which backend ---- */

static const struct {
    const char *section, *key, *value;
} of_processes[] = {
    {"service", "command", "/bin/true"},
    {"service", "directory", "/"},
    {"service", "user", "0"},
    {"service", "group", "0"},
    {"service", "supplementary_groups", "0"},
    {"service", "environment", "A=1"},
    {"service", "environment_file", "/a"},
    {"service", "umask", "022"},
    {"operation", "stop_signal", "TERM"},
    {"operation", "stop_timeout", "1s"},
    {"operation", "reload_signal", "HUP"},
    {"operation", "reload_command", "a"},
    {"readiness", "type", "fd"},
    {"readiness", "delay", "1s"},
    {"readiness", "timeout", "1s"},
    {"log", "target", "none"},
    {"log", "stderr", "separate"},
    {"log", "max_size", "1M"},
    {"log", "max_files", "1"},
    {"log", "max_age", "1d"},
    {"log", "compress", "yes"},
    {"log", "timestamps", "yes"},
    {"log", "when_full", "drop"},
    {"limits", "memory", "1M"},
    {"limits", "cpu", "1"},
    {"limits", "tasks", "1"},
    {"limits", "nofile", "16"},
    {"limits", "core", "0"},
    {"limits", "oom_score_adjust", "1"},
};

/* A unit's file that holds one more key; where its value stands. */
static char *with_key(const char *head, const char *section, const char *key, const char *value,
                      int *ret_line)
{
    bool here = strcmp(section, "service") == 0;
    char *text;

    assert_true(asprintf(&text, "%s%s%s%s%s = %s\n", head, here ? "" : "[", here ? "" : section,
                         here ? "" : "]\n", key, value) > 0);
    *ret_line = here ? 4 : 5;
    return text;
}

static void what_only_processes_have_is_refused_of_a_unit_at_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof of_processes / sizeof *of_processes; i++) {
        CLEANUP(freep) char *text = NULL;
        CLEANUP(freep) char *says = NULL;
        const char *key = of_processes[i].key;
        int line;

        text = with_key(UNIT, of_processes[i].section, key, of_processes[i].value, &line);
        assert_true(asprintf(&says,
                             "%d:%zu: error: %s: not with backend = systemd: the unit's own file "
                             "says it (systemctl edit nginx.service)",
                             line, strlen(key) + 4, key) > 0);
        expect(text, says);
    }
}

static void all_of_it_is_refused_at_once_and_nothing_else_is_said_of_it(void **state)
{
    (void)state;
    expect_all("[operation]\ntimeout = 5s\nstop_timeout = 1h\nreload_signal = HUP\n"
               "reload_command = a\n[log]\nmax_age = 1ms\n[service]\nunit = a@1.service\n"
               "bus = user\nbackend = systemd\n",
               "/services.d/web.conf:3:16: error: stop_timeout: not with backend = systemd: the "
               "unit's own file says it (systemctl --user edit a@1.service)\n"
               "/services.d/web.conf:4:17: error: reload_signal: not with backend = systemd: the "
               "unit's own file says it (systemctl --user edit a@1.service)\n"
               "/services.d/web.conf:5:18: error: reload_command: not with backend = systemd: the "
               "unit's own file says it (systemctl --user edit a@1.service)\n"
               "/services.d/web.conf:7:11: error: max_age: not with backend = systemd: the unit's "
               "own file says it (systemctl --user edit a@1.service)\n");
    expect_all("[service]\nbackend = systemd\nunit = nginx\numask = 022\n",
               "/services.d/web.conf:3:8: error: unit: a unit has a suffix: did you mean "
               "nginx.service?\n"
               "/services.d/web.conf:4:9: error: umask: not with backend = systemd: the unit's own "
               "file says it\n");
}

static void what_only_units_have_is_refused_of_a_process(void **state)
{
    (void)state;
    expect(PROCESS "unit = nginx.service\n", "3:8: error: unit: only with backend = systemd");
    expect(PROCESS "bus = system\n", "3:7: error: bus: only with backend = systemd");
    expect(PROCESS "[operation]\non_timeout = stop\n",
           "4:14: error: on_timeout: only with backend = systemd");
    expect(PROCESS "backend = process\nunit = nginx.service\n",
           "4:8: error: unit: only with backend = systemd");
    expect_all("[service]\nbackend = process\nunit = nginx.service\n",
               "/services.d/web.conf: error: command: [service] command is required\n"
               "/services.d/web.conf:3:8: error: unit: only with backend = systemd\n");
}

static void each_backend_needs_its_key(void **state)
{
    (void)state;
    expect("[service]\nbackend = systemd\n",
           "2:11: error: unit: [service] unit is required with backend = systemd");
    expect_all("[service]\nbackend = process\n",
               "/services.d/web.conf: error: command: [service] command is required\n");
    expect_all("", "/services.d/web.conf: error: command: [service] command is required\n");
}

/* One mistake is told once: what follows from it is not held against the rest of the file. */
static void a_backend_that_is_mistyped_or_forgotten_hides_what_hangs_on_it(void **state)
{
    (void)state;
    expect("[service]\nbackend = sytemd\nunit = nginx.service\n[operation]\ntimeout = 5s\n",
           "2:11: error: backend: got \"sytemd\"; expected process or systemd; did you mean "
           "\"systemd\"?");
    expect("[service]\nbakend = systemd\nunit = nginx.service\n[operation]\ntimeout = 5s\n",
           "2:1: error: bakend: there is no such key in [service]; did you mean \"backend\"?");
    expect("[service]\nunit = nginx.service\n[operation]\ntimeout = 5s\n",
           "2:8: error: unit: only with backend = systemd");
    expect("[service]\nbackend = systemd\nunti = nginx.service\n",
           "3:1: error: unti: there is no such key in [service]; did you mean \"unit\"?");
}

/* ---- what arrives ---- */

static void a_unit_alone_has_defaults_of_its_own(void **state)
{
    const struct service_spec *spec;
    struct scratch s;

    (void)state;
    scratch_open(&s, "[operations]\ntimeout = 5s\nqueue_limit = 9\n[daemon]\n"
                     "shutdown_timeout = 1s\n");
    scratch_service(&s, "web", UNIT);
    scratch_service(&s, "plain", PROCESS "[operation]\nstop_timeout = 1s\n");
    scratch_load(&s);
    assert_int_equal(s.set.count, 2);
    assert_int_equal(problems_errors(&s.problems), 0);
    spec = scratch_spec(&s, "web");
    assert_true(spec_is_unit(spec));
    assert_string_equal(spec->unit, "nginx.service");
    assert_int_equal(spec->bus, BUS_SYSTEM);
    assert_int_equal(spec->on_timeout, ON_TIMEOUT_LEAVE);
    assert_false(spec->autostart);
    assert_null(spec->command);
    assert_int_equal(spec->argv.count, 0);
    assert_null(spec->user);
    assert_false(spec->set_user);
    assert_int_equal(spec->group_count, 0);
    assert_int_equal(spec->timeout_us, 5 * USEC_PER_SEC);
    assert_int_equal(spec->queue_limit, 9);
    assert_true(spec_can_reload(spec));
    spec = scratch_spec(&s, "plain");
    assert_false(spec_is_unit(spec));
    assert_null(spec->unit);
    assert_true(spec->autostart);
    scratch_close(&s);
}

static void everything_else_works_with_a_unit(void **state)
{
    const struct service_spec *spec;
    struct scratch s;

    (void)state;
    scratch_open(&s, "");
    scratch_service(&s, "db", UNIT "[recovery]\nrestart = no\n");
    scratch_service(&s, "web",
                    "[service]\nbackend = systemd\nunit = worker@3.service\nbus = user\n"
                    "description = a worker\ntags = web\nrequires = db\nwants = other\n"
                    "after = other\nautostart = yes\n"
                    "[operation]\ntimeout = 2m\nqueue_limit = 3\ncoalesce = yes\n"
                    "on_timeout = stop\n"
                    "[recovery]\nrestart = on-failure\nfirst_delay = 2s\nmax_delay = 3s\n"
                    "attempts = 4\nstable_after = 5s\n");
    scratch_service(&s, "other", PROCESS);
    scratch_load(&s);
    if (problems_errors(&s.problems) > 0)
        fail_msg("%s", s.problems.items[0].message);
    spec = scratch_spec(&s, "web");
    assert_non_null(spec);
    assert_string_equal(spec->unit, "worker@3.service");
    assert_int_equal(spec->bus, BUS_USER);
    assert_int_equal(spec->on_timeout, ON_TIMEOUT_STOP);
    assert_true(spec->autostart);
    assert_true(spec->coalesce);
    assert_true(string_list_has(&spec->requires, "db"));
    assert_int_equal(spec->timeout_us, 120 * USEC_PER_SEC);
    assert_int_equal(spec->queue_limit, 3);
    assert_int_equal(spec->restart, RESTART_ON_FAILURE);
    assert_int_equal(spec->attempts, 4);
    scratch_close(&s);
}

/* Of processes all three would be warned of. */
static void a_unit_is_warned_of_nothing_that_its_own_file_decides(void **state)
{
    CLEANUP(freep) char *said = said_of(UNIT, "[daemon]\nshutdown_timeout = 1s\n");

    (void)state;
    assert_string_equal(said, "");
    expect(UNIT "[recovery]\nfirst_delay = 2m\n",
           "5:15: warning: first_delay: above max_delay, which holds then");
}

/* ---- one unit, one service ---- */

static void a_unit_is_driven_by_the_first_service_that_names_it(void **state)
{
    CLEANUP(freep) char *said = NULL;
    struct scratch s;

    (void)state;
    scratch_open(&s, "");
    scratch_service(&s, "web", UNIT);
    scratch_service(&s, "xweb", UNIT "tags = x\n");
    scratch_service(&s, "yweb", UNIT);
    scratch_service(&s, "own", UNIT "bus = user\n");
    scratch_service(&s, "worker-1", "[service]\nbackend = systemd\nunit = worker@1.service\n");
    scratch_service(&s, "worker-2", "[service]\nbackend = systemd\nunit = worker@2.service\n");
    scratch_load(&s);
    said = scratch_said(&s);
    assert_string_equal(said,
                        "/services.d/xweb.conf:3:8: error: unit: nginx.service is already driven "
                        "by service web (services.d/web.conf)\n"
                        "/services.d/yweb.conf:3:8: error: unit: nginx.service is already driven "
                        "by service web (services.d/web.conf)\n");
    assert_int_equal(s.set.count, 4);
    assert_non_null(scratch_spec(&s, "web"));
    assert_non_null(scratch_spec(&s, "own"));
    assert_int_equal(s.set.refused_count, 2);
    assert_int_equal(scratch_refused(&s, "xweb")->line, 3);
    scratch_close(&s);
}

/* What it said before it was broken still holds in a daemon that runs. */
static void a_file_that_is_refused_for_something_else_keeps_its_unit(void **state)
{
    struct scratch s;

    (void)state;
    scratch_open(&s, "");
    scratch_service(&s, "web", UNIT "umsk = 1\n");
    scratch_service(&s, "xweb", UNIT);
    scratch_load(&s);
    assert_int_equal(s.set.count, 0);
    scratch_expect(&s, "/xweb.conf:3:8: error: unit: nginx.service is already driven by service "
                       "web (services.d/web.conf)\n");
    scratch_close(&s);
}

static void a_folder_elsewhere_is_named_whole(void **state)
{
    CLEANUP(freep) char *expected = NULL;
    struct scratch s, there;
    char conf[128];

    (void)state;
    scratch_open(&there, "");
    scratch_service(&there, "web", UNIT);
    scratch_service(&there, "xweb", UNIT);
    snprintf(conf, sizeof conf, "[daemon]\nservices_dir = %s/services.d\n", there.folder);
    scratch_open(&s, conf);
    scratch_load(&s);
    assert_true(
        asprintf(&expected, "driven by service web (%s/services.d/web.conf)", there.folder) > 0);
    scratch_expect(&s, expected);
    scratch_close(&s);
    scratch_close(&there);
}

/* ---- beside processes ---- */

static void a_unit_has_no_log_that_another_could_write_into(void **state)
{
    struct scratch s;

    (void)state;
    scratch_open(&s, "[daemon]\nlog_target = file\n");
    scratch_service(&s, "web", PROCESS "[log]\nstderr = separate\n");
    scratch_service(&s, "web.err", UNIT);
    scratch_service(&s, "orderlyd", "[service]\nbackend = systemd\nunit = a.service\n");
    scratch_load(&s);
    if (problems_errors(&s.problems) > 0)
        fail_msg("%s", s.problems.items[0].message);
    assert_int_equal(s.set.count, 3);
    scratch_close(&s);
}

/* Every run of blanks and newlines becomes one blank. */
static void squeeze(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++)
        if (!strchr(" \n", *from) || (to > text && to[-1] != ' '))
            *to++ = *from == '\n' ? ' ' : *from;
    *to = '\0';
}

static void the_reference_tells_which_keys_go_with_units(void **state)
{
    static const char *const told[] = {
        "[readiness] when it counts as ready; not with backend = systemd ",
        "[log] what becomes of its output; not with backend = systemd ",
        "[limits] what it may use; not with backend = systemd ",
        "[recovery] what happens when it ends by itself restart ",
        "its new files do not get. Not with backend = systemd. A change holds from",
        "What asks it to stop. Not with backend = systemd. stop_timeout ",
        "the old one is left as it is. Only with backend = systemd. bus ",
        " autostart no|yes yes; no with backend = systemd Whether",
    };
    CLEANUP(freep) char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    (void)state;
    assert_non_null(f);
    config_print_help(f);
    fclose(f);
    squeeze(text);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        if (!strstr(text, told[i]))
            fail_msg("expected: %s\nsaid:\n%s", told[i], text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_of_a_unit_is_what_systemd_takes_for_one),
        cmocka_unit_test(a_name_that_is_wrong_is_answered_with_the_one_that_was_meant),
        cmocka_unit_test(a_name_has_255_bytes_at_most),
        cmocka_unit_test(what_only_processes_have_is_refused_of_a_unit_at_its_line),
        cmocka_unit_test(all_of_it_is_refused_at_once_and_nothing_else_is_said_of_it),
        cmocka_unit_test(what_only_units_have_is_refused_of_a_process),
        cmocka_unit_test(each_backend_needs_its_key),
        cmocka_unit_test(a_backend_that_is_mistyped_or_forgotten_hides_what_hangs_on_it),
        cmocka_unit_test(a_unit_alone_has_defaults_of_its_own),
        cmocka_unit_test(everything_else_works_with_a_unit),
        cmocka_unit_test(a_unit_is_warned_of_nothing_that_its_own_file_decides),
        cmocka_unit_test(a_unit_is_driven_by_the_first_service_that_names_it),
        cmocka_unit_test(a_file_that_is_refused_for_something_else_keeps_its_unit),
        cmocka_unit_test(a_folder_elsewhere_is_named_whole),
        cmocka_unit_test(a_unit_has_no_log_that_another_could_write_into),
        cmocka_unit_test(the_reference_tells_which_keys_go_with_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
