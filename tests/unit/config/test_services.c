#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "report.h"
#include "scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define GOOD   "[service]\ncommand = /bin/true\n"
#define NOBODY 65534

/* A test that needs another user becomes it for a while. */
static bool become(uid_t uid)
{
    return seteuid(uid) == 0;
}

static void one_bad_file_keeps_no_other_from_loading(void **state)
{
    static const struct {
        const char *name, *text;
        int line;
        const char *says;
    } bad[] = {
        {"typo", "[service]\ncomand = /bin/true\n", 2, "comand: there is no such key"},
        {"duration", "[service]\ncommand = a\n[operation]\ntimeout = 10 fortnights\n", 4,
         "timeout: expected a duration"},
        {"quote", "[service]\ncommand = a 'b\n", 2, "command: the quote"},
        {"empty", "", 0, "command: [service] command is required"},
        {"comments", "# nothing\n", 0, "command: [service] command is required"},
        {"unknown", "[service]\ncommand = a\nrequires = nobody-here\n", 3,
         "requires: there is no service \"nobody-here\""},
        {"itself", "[service]\ncommand = a\nafter = itself\n", 3, "after: \"itself\" names itself"},
        {"cycle-a", "[service]\ncommand = a\nwants = cycle-b\n", 3, "cycle-a -> cycle-b"},
        {"cycle-b", "[service]\ncommand = a\nafter = cycle-a\n", 3, "cycle-b -> cycle-a"},
        {"-dash", GOOD, 0, "can't be the name of a service"},
        {"sp ace", GOOD, 0, "can't be the name of a service"},
    };
    static const char nul[] = "[service]\ncommand = a\0b\n", rubbish[] = "\x7f\x45LF\x02\0\xff\xfe";
    const size_t count = sizeof bad / sizeof *bad;
    struct scratch s;

    (void)state;
    scratch_open(&s, "");
    for (size_t i = 0; i < count; i++)
        scratch_service(&s, bad[i].name, bad[i].text);
    scratch_write(&s, "services.d/nul.conf", nul, sizeof nul - 1);
    scratch_write(&s, "services.d/rubbish.conf", rubbish, sizeof rubbish - 1);
    scratch_service(&s, "good", GOOD);
    scratch_service(&s, "other", GOOD "requires = good\n");
    scratch_service(&s, ".hidden", "rubbish");
    scratch_write(&s, "services.d/web.conf~", "rubbish", 7);
    scratch_load(&s);
    assert_int_equal(s.set.count, 2);
    assert_string_equal(s.set.specs[0]->name, "good");
    assert_string_equal(s.set.specs[1]->name, "other");
    assert_int_equal(s.set.refused_count, count + 2);
    for (size_t i = 0; i < count; i++) {
        const struct refused_service *refused = scratch_refused(&s, bad[i].name);

        assert_non_null(refused);
        assert_int_equal(refused->line, bad[i].line);
        if (!strstr(refused->message, bad[i].says))
            fail_msg("%s: %s", bad[i].name, refused->message);
    }
    assert_int_equal(scratch_refused(&s, "nul")->line, 2);
    assert_int_equal(scratch_refused(&s, "rubbish")->line, 1);
    scratch_close(&s);
}

static void what_is_no_regular_file_is_refused_without_waiting_for_it(void **state)
{
    struct scratch s;
    char path[128];

    (void)state;
    scratch_open(&s, "");
    snprintf(path, sizeof path, "%s/services.d/folder.conf", s.folder);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof path, "%s/services.d/fifo.conf", s.folder);
    assert_int_equal(mkfifo(path, 0644), 0);
    snprintf(path, sizeof path, "%s/services.d/zero.conf", s.folder);
    assert_int_equal(symlink("/dev/zero", path), 0);
    snprintf(path, sizeof path, "%s/services.d/gone.conf", s.folder);
    assert_int_equal(symlink("/nonexistent", path), 0);
    scratch_load(&s);
    assert_int_equal(s.set.count, 0);
    assert_int_equal(s.set.refused_count, 4);
    scratch_close(&s);
}

static void a_missing_folder_is_an_error_that_names_it(void **state)
{
    struct service_set set = {0};
    struct config *config;
    struct error err = {0};
    struct scratch s;

    (void)state;
    scratch_open(&s, "[daemon]\nservices_dir = not-here\n");
    config = scratch_config(&s);
    assert_non_null(config);
    assert_int_equal(config_load_services(config, &set, &s.problems, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/not-here"));
    config_free(config);
    scratch_close(&s);
}

static void all_errors_of_a_file_are_told_in_order(void **state)
{
    CLEANUP(freep)
    char *said = NULL;
    struct scratch s;

    (void)state;
    scratch_open(&s, "");
    scratch_service(&s, "many",
                    "[service]\ncomand = a\numask = 9\n[opration]\n[recovery]\n"
                    "restart = sometimes\nfirst_delay = now\n");
    scratch_load(&s);
    said = scratch_said(&s);
    for (int i = 0; i < 5; i++) {
        static const int lines[] = {2, 3, 4, 6, 7};

        assert_int_equal(s.problems.items[i].line, lines[i]);
    }
    assert_int_equal(problems_errors(&s.problems), 5);
    assert_non_null(strstr(said, "/services.d/many.conf:3:9: error: umask: expected an octal"));
    scratch_close(&s);
}

/* ---- timeouts ---- */

static void expect_sum(const char *supervisor, const char *service, const char *says)
{
    struct scratch s;

    scratch_open(&s, supervisor);
    scratch_service(&s, "web", service);
    scratch_load(&s);
    if (says)
        scratch_expect(&s, says);
    else if (s.set.count != 1)
        fail_msg("refused: %s", s.set.refused[0].message);
    scratch_close(&s);
}

static void a_timeout_must_hold_a_stop_and_a_start(void **state)
{
    (void)state;
    expect_sum("", GOOD "[operation]\ntimeout = 5s\nstop_timeout = 10s\n",
               "web.conf:4:11: error: timeout: a restart needs at least 11s (stop_timeout 10s and "
               "readiness delay 1s); the timeout is 5s");
    expect_sum("", GOOD "[operation]\nstop_timeout = 30s\n",
               "web.conf:4:16: error: timeout: a restart needs at least 31s");
    expect_sum("", GOOD "[readiness]\ndelay = 25s\n",
               "web.conf:4:9: error: timeout: a restart needs at least 35s");
    expect_sum("[operations]\ntimeout = 8s\n", GOOD,
               "web.conf: error: timeout: a restart needs at least 11s (stop_timeout 10s and "
               "readiness delay 1s); the timeout, [operations] of supervisor.conf, is 8s");
    expect_sum("", GOOD "[readiness]\ntype = fd\ntimeout = 25s\n",
               "a restart needs at least 35s (stop_timeout 10s and readiness timeout 25s)");
    expect_sum("", GOOD "[operation]\nstop_timeout = 30s\n[readiness]\ntype = fd\n",
               "a restart needs at least");
    expect_sum("", GOOD "[operation]\nstop_timeout = 30s\n[readiness]\ntype = immediate\n", NULL);
    expect_sum("", GOOD "[operation]\nstop_timeout = 31s\n[readiness]\ntype = immediate\n",
               "a restart needs at least 31s (stop_timeout 31s); the timeout");
}

static void a_sum_is_not_judged_when_a_part_of_it_is_wrong(void **state)
{
    struct scratch s;

    (void)state;
    scratch_open(&s, "");
    scratch_service(&s, "web", GOOD "[operation]\ntimeout = soon\nstop_timeout = 1h\n");
    scratch_load(&s);
    assert_int_equal(problems_errors(&s.problems), 1);
    scratch_close(&s);
}

static void readiness_has_what_the_timeout_leaves(void **state)
{
    struct scratch s;

    (void)state;
    scratch_open(&s, "[operations]\ntimeout = 40s\nqueue_limit = 9\n");
    scratch_service(&s, "web", GOOD "[operation]\nstop_timeout = 15s\n[readiness]\ntype = fd\n");
    scratch_load(&s);
    assert_int_equal(s.set.count, 1);
    assert_int_equal(s.set.specs[0]->timeout_us, 40 * USEC_PER_SEC);
    assert_int_equal(s.set.specs[0]->ready_timeout_us, 25 * USEC_PER_SEC);
    assert_int_equal(s.set.specs[0]->queue_limit, 9);
    scratch_close(&s);
}

/* ---- users ---- */

static void a_user_without_being_root_is_refused_with_both_names(void **state)
{
    struct scratch s;

    (void)state;
    if (geteuid() != 0)
        skip();
    scratch_open(&s, "[daemon]\nstate_dir = /x\nruntime_dir = /x\nlog_dir = /x\n");
    scratch_service(&s, "web", "[service]\ncommand = a\nuser = root\n");
    scratch_service(&s, "own", "[service]\ncommand = a\nuser = nobody\n");
    scratch_service(&s, "grp", "[service]\ncommand = a\nsupplementary_groups = daemon\n");
    for (int i = 0; i < 3; i++) {
        static const char *const files[] = {"web", "own", "grp"};
        char path[128];

        snprintf(path, sizeof path, "%s/services.d/%s.conf", s.folder, files[i]);
        assert_int_equal(chmod(path, 0644), 0);
    }
    {
        char path[128];

        snprintf(path, sizeof path, "%s/supervisor.conf", s.folder);
        assert_int_equal(chmod(path, 0644), 0);
    }
    assert_true(become(NOBODY));
    scratch_load(&s);
    assert_true(become(0));
    scratch_expect(&s, "web.conf:3:8: error: user: only root runs services as others: this is "
                       "\"nobody\", the service would be \"root\"");
    scratch_expect(&s, "grp.conf:3:24: error: supplementary_groups: only root");
    assert_int_equal(s.set.count, 1);
    assert_string_equal(s.set.specs[0]->name, "own");
    assert_false(s.set.specs[0]->set_user);
    scratch_close(&s);
}

static void root_gives_services_the_user_and_groups_they_ask_for(void **state)
{
    const struct service_spec *spec;
    struct scratch s;

    (void)state;
    if (geteuid() != 0)
        skip();
    scratch_open(&s, "");
    scratch_service(&s, "named", "[service]\ncommand = a\nuser = nobody\n");
    scratch_service(&s, "number",
                    "[service]\ncommand = a\nuser = 54321\ngroup = daemon\n"
                    "supplementary_groups = 77, adm\n");
    scratch_service(&s, "lost", "[service]\ncommand = a\nuser = 54321\n");
    scratch_load(&s);
    spec = scratch_spec(&s, "named");
    assert_non_null(spec);
    assert_true(spec->set_user);
    assert_int_equal(spec->uid, NOBODY);
    assert_string_equal(spec->user, "nobody");
    assert_non_null(spec->home);
    assert_true(spec->group_count >= 1);
    spec = scratch_spec(&s, "number");
    assert_non_null(spec);
    assert_int_equal(spec->uid, 54321);
    assert_int_equal(spec->gid, 1);
    assert_int_equal(spec->group_count, 3);
    assert_int_equal(spec->groups[1], 77);
    assert_string_equal(spec->home, "/");
    scratch_expect(&s, "lost.conf:3:8: error: user: no user has the number 54321");
    scratch_close(&s);
}

/* ---- warnings ---- */

static void what_is_unwise_is_warned_of_and_loads(void **state)
{
    struct scratch s;
    char path[128];

    (void)state;
    scratch_open(&s, "[daemon]\nshutdown_timeout = 5s\n");
    scratch_service(&s, "root", "[service]\ncommand = a\n");
    scratch_service(&s, "open", GOOD);
    scratch_service(&s, "times",
                    GOOD "[readiness]\ntype = immediate\ndelay = 1s\ntimeout = 1s\n"
                         "[recovery]\nfirst_delay = 2m\n");
    snprintf(path, sizeof path, "%s/services.d/open.conf", s.folder);
    assert_int_equal(chmod(path, 0666), 0);
    snprintf(path, sizeof path, "%s/services.d", s.folder);
    assert_int_equal(chmod(path, 0775), 0);
    scratch_load(&s);
    assert_int_equal(s.set.count, 3);
    assert_int_equal(problems_errors(&s.problems), 0);
    scratch_expect(&s, "/services.d: warning: its group may write it (mode 0775)");
    scratch_expect(&s, "/open.conf: warning: anybody may write it (mode 0666)");
    scratch_expect(&s, "/times.conf:5:9: warning: delay: means something for readiness type delay");
    scratch_expect(&s, "/times.conf:6:11: warning: timeout: means something for readiness type fd");
    scratch_expect(&s, "/times.conf:8:15: warning: first_delay: above max_delay");
    scratch_expect(&s, "/times.conf: warning: stop_timeout: above shutdown_timeout");
    if (geteuid() == 0)
        scratch_expect(&s, "/root.conf: warning: user: it runs as root without saying so");
    scratch_close(&s);
}

/* One service whose file holds this beside what is good; "" for a warning: none at all. */
static void expect_said(const char *text, const char *says)
{
    struct scratch s;
    char *all;

    assert_true(asprintf(&all, GOOD "user = 0\n%s", text) > 0);
    scratch_open(&s, "");
    scratch_service(&s, "web", all);
    scratch_load(&s);
    if (*says)
        scratch_expect(&s, says);
    else if (s.problems.count > 0)
        fail_msg("%s: %s", text, s.problems.items[0].message);
    free(all);
    scratch_close(&s);
}

static void what_a_log_can_not_do_is_warned_of(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    expect_said("[log]\ntarget = none\nmax_size = 1M\n",
                "web.conf:6:12: warning: max_size: means nothing without a file as target");
    expect_said("[log]\ntarget = console\nmax_age = 1d\n",
                "web.conf:6:11: warning: max_age: means nothing without a file as target");
    expect_said("[log]\ntarget = console\nmax_files = 1\n", "warning: max_files: means nothing");
    expect_said("[log]\ntarget = console\ncompress = yes\n", "warning: compress: means nothing");
    expect_said("[log]\ntarget = none\nstderr = separate\n",
                "web.conf:6:10: warning: stderr: means nothing with target = none");
    expect_said("[log]\ntarget = none\ntimestamps = yes\n", "warning: timestamps: means nothing");
    expect_said("[log]\ntarget = none\nwhen_full = drop\n", "warning: when_full: means nothing");
    expect_said("[log]\ncompress = yes\nmax_files = 0\n",
                "web.conf:5:12: warning: compress: means nothing with max_files = 0");
    expect_said("[log]\ntarget = console\ntimestamps = yes\nwhen_full = drop\n", "");
    expect_said("[log]\ntarget = both\ncompress = yes\nmax_age = 1s\nstderr = separate\n", "");
    expect_said("[log]\nmax_age = 1ms\n",
                "web.conf:5:11: error: max_age: expected 0 (any age) or at least 1s");
}

static void no_two_services_share_a_log(void **state)
{
    struct scratch s;

    (void)state;
    scratch_open(&s, "[daemon]\nlog_target = file\n");
    scratch_service(&s, "web", GOOD "[log]\nstderr = separate\n");
    scratch_service(&s, "web.err", GOOD);
    scratch_service(&s, "db", GOOD "[log]\nstderr = separate\n");
    scratch_service(&s, "orderlyd", GOOD);
    scratch_load(&s);
    scratch_expect(&s, "/web.conf:4:10: error: stderr: web.err.log would be the log of the service "
                       "\"web.err\" too");
    scratch_expect(&s, "/orderlyd.conf: error: orderlyd.log is the daemon's own log");
    assert_int_equal(s.set.count, 2);
    assert_non_null(scratch_spec(&s, "db"));
    assert_non_null(scratch_spec(&s, "web.err"));
    scratch_close(&s);
}

static void a_reload_has_one_way_only(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    expect_said("[operation]\nreload_signal = HUP\n", "");
    expect_said("[operation]\nreload_signal = HUP\nreload_command = a\n",
                "web.conf:6:18: error: reload_command: reload_signal is set in line 5: a reload is "
                "the one or the other");
    expect_said("[operation]\nreload_command = a\nreload_signal = HUP\n",
                "web.conf:6:17: error: reload_signal: reload_command is set in line 5: a reload is "
                "the one or the other");
    expect_said("[operation]\nreload_signal = TERM\n",
                "web.conf:5:17: warning: reload_signal: the same as stop_signal: a reload may end");
}

static void what_is_refused_afterwards_leaves_the_others_in_order(void **state)
{
    const struct refused_service *refused;
    struct scratch s;
    size_t before;

    (void)state;
    scratch_open(&s, "");
    scratch_service(&s, "a", GOOD);
    scratch_service(&s, "b", GOOD "after = a\n");
    scratch_service(&s, "bad", "rubbish");
    scratch_service(&s, "c", GOOD);
    scratch_load(&s);
    before = problems_errors(&s.problems);
    assert_int_equal(service_set_refuse(&s.set, 0, "memory", "not here", &s.problems), 0);
    assert_int_equal(service_set_refuse(&s.set, 1, "cpu", "nor this", &s.problems), 0);
    assert_int_equal(s.set.count, 1);
    assert_string_equal(s.set.specs[0]->name, "b");
    assert_int_equal(s.set.refused_count, 3);
    refused = scratch_refused(&s, "a");
    assert_non_null(refused);
    assert_string_equal(refused->message, "memory: not here");
    assert_int_equal(refused->line, 0);
    assert_string_equal(refused->file + strlen(s.folder), "/services.d/a.conf");
    assert_non_null(scratch_refused(&s, "c"));
    assert_int_equal(problems_errors(&s.problems), before + 2);
    scratch_expect(&s, "/services.d/c.conf: error: cpu: nor this\n");
    scratch_close(&s);
}

static void a_file_of_the_greatest_size_is_read_in_no_time(void **state)
{
    static const char *const lines[] = {"[service]\n", "k = v\n",      "[", "\\\n", "command = a\n",
                                        "\xff",        "# a comment\n"};
    struct scratch s;

    (void)state;
    scratch_open(&s, "");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        CLEANUP(text_deinit)
        struct text t = {0};
        char name[32];

        text_append(&t, GOOD);
        while (t.len + strlen(lines[i]) <= 1 << 20)
            text_append(&t, lines[i]);
        snprintf(name, sizeof name, "services.d/big%zu.conf", i);
        scratch_write(&s, name, t.data, t.len);
        if (i == 0) {
            text_append(&t, "############");
            scratch_write(&s, "services.d/bigger.conf", t.data, t.len);
        }
    }
    scratch_load(&s);
    assert_int_equal(s.set.count, 1); /* the comments */
    assert_non_null(strstr(scratch_refused(&s, "bigger")->message, "larger than"));
    assert_true(problems_errors(&s.problems) <= 8 * (REPORT_MOST + 1));
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_bad_file_keeps_no_other_from_loading),
        cmocka_unit_test(what_is_no_regular_file_is_refused_without_waiting_for_it),
        cmocka_unit_test(a_missing_folder_is_an_error_that_names_it),
        cmocka_unit_test(all_errors_of_a_file_are_told_in_order),
        cmocka_unit_test(a_timeout_must_hold_a_stop_and_a_start),
        cmocka_unit_test(a_sum_is_not_judged_when_a_part_of_it_is_wrong),
        cmocka_unit_test(readiness_has_what_the_timeout_leaves),
        cmocka_unit_test(a_user_without_being_root_is_refused_with_both_names),
        cmocka_unit_test(root_gives_services_the_user_and_groups_they_ask_for),
        cmocka_unit_test(what_is_unwise_is_warned_of_and_loads),
        cmocka_unit_test(what_a_log_can_not_do_is_warned_of),
        cmocka_unit_test(no_two_services_share_a_log),
        cmocka_unit_test(a_reload_has_one_way_only),
        cmocka_unit_test(what_is_refused_afterwards_leaves_the_others_in_order),
        cmocka_unit_test(a_file_of_the_greatest_size_is_read_in_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
