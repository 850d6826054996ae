/* The systemd backend by itself against a real systemd: to be run under with-systemd. */
#include "unit_scene.h"

#define NO_LIMIT "[Unit]\nStartLimitIntervalSec=0\n"
#define SLEEPER  NO_LIMIT "[Service]\nType=exec\nExecStart=/bin/sleep infinity\n"

static const struct {
    const char *name, *text;
} files[] = {
    {"plain.service", SLEEPER "ExecReload=/bin/kill -HUP $MAINPID\n"
                              "[Install]\nAlias=other-name.service\n"},
    {"simple.service", NO_LIMIT "[Service]\nType=simple\nExecStart=/bin/sleep infinity\n"},
    {"bare.service", SLEEPER},
    {"worker@.service", NO_LIMIT "[Service]\nType=exec\nExecStart=/bin/sleep infinity\n"},
    {"condition.service", "[Unit]\nConditionPathExists=/there/is/none\n[Service]\nType=exec\n"
                          "ExecStart=/bin/sleep infinity\n"},
    {"assert.service", "[Unit]\nAssertPathExists=/there/is/none\n[Service]\nType=exec\n"
                       "ExecStart=/bin/sleep infinity\n"},
    {"missing-simple.service", NO_LIMIT "[Service]\nType=simple\nExecStart=/there/is/none\n"},
    {"missing-exec.service", NO_LIMIT "[Service]\nType=exec\nExecStart=/there/is/none\n"},
    {"oneshot.service", NO_LIMIT "[Service]\nType=oneshot\nExecStart=/bin/true\n"},
    {"oneshot-fails.service", NO_LIMIT "[Service]\nType=oneshot\nExecStart=/bin/false\n"},
    {"notify-dies.service", NO_LIMIT "[Service]\nType=notify\nExecStart=/bin/sh -c 'exit 7'\n"},
    {"notify-ends.service", NO_LIMIT "[Service]\nType=notify\nExecStart=/bin/true\n"},
    {"notify-late.service", NO_LIMIT "[Service]\nType=notify\nTimeoutStartSec=200ms\n"
                                     "ExecStart=/bin/sleep infinity\n"},
    {"notify-never.service", NO_LIMIT "[Service]\nType=notify\nTimeoutStartSec=infinity\n"
                                      "ExecStart=/bin/sleep infinity\n"},
    {"job-timeout.service", "[Unit]\nStartLimitIntervalSec=0\nJobRunningTimeoutSec=200ms\n"
                            "[Service]\nType=notify\nExecStart=/bin/sleep infinity\n"},
    {"stubborn.service", NO_LIMIT "[Service]\nType=notify\nNotifyAccess=all\nTimeoutStopSec=200ms\n"
                                  "ExecStart=/bin/sh -c 'trap \"\" TERM; systemd-notify --ready; "
                                  "while :; do sleep 1000; done'\n"},
    {"needs-oneshot.service", "[Unit]\nStartLimitIntervalSec=0\nRequires=oneshot-fails.service\n"
                              "After=oneshot-fails.service\n"
                              "[Service]\nType=exec\nExecStart=/bin/sleep infinity\n"},
    {"limited.service", "[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=1\n"
                        "[Service]\nType=exec\nExecStart=/bin/sleep infinity\n"},
    {"refuses.service", "[Unit]\nRefuseManualStart=yes\n[Service]\nType=exec\n"
                        "ExecStart=/bin/sleep infinity\n"},
    {"loop.service", NO_LIMIT "[Service]\nType=simple\nRestart=always\nRestartSec=20ms\n"
                              "ExecStart=/bin/sh -c 'exit 3'\n"},
    {"slow-loop.service", NO_LIMIT "[Service]\nType=exec\nRestart=always\nRestartSec=1h\n"
                                   "ExecStart=/bin/sleep infinity\n"},
    {"waits.service", NO_LIMIT "[Service]\nType=notify\nNotifyAccess=all\n"
                               "ExecStart=/bin/sh -c 'read x < /run/gate; "
                               "systemd-notify --ready; sleep infinity'\n"},
    {"bad.service", "[Service]\nType=exec\n"},
    {"bad-reload.service", NO_LIMIT "[Service]\nType=exec\nExecStart=/bin/sleep infinity\n"
                                    "ExecReload=/bin/false\n"},
    {"slow-reload.service", NO_LIMIT "[Service]\nType=exec\nExecStart=/bin/sleep infinity\n"
                                     "ExecReload=/bin/sleep infinity\n"},
    {"user.service", NO_LIMIT "[Service]\nType=exec\nUser=nobody-of-that-name\n"
                              "ExecStart=/bin/sleep infinity\n"},
    {"folder.service", NO_LIMIT "[Service]\nType=exec\nWorkingDirectory=/there/is/none\n"
                                "ExecStart=/bin/sleep infinity\n"},
};

static int set_up_all(void **state)
{
    (void)state;
    if (!getenv("WITH_SYSTEMD"))
        return 0; /* each test says that it is skipped */
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        write_unit(files[i].name, files[i].text);
    run("ln -sf /dev/null " UNIT_FOLDER "/masked.service");
    run("ln -sf plain.service " UNIT_FOLDER "/other-name.service");
    run("mkfifo /run/gate; systemctl daemon-reload");
    return 0;
}

static int set_up(void **state)
{
    struct units *s;

    if (!getenv("WITH_SYSTEMD"))
        return 0;
    s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    units_open(s);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    if (!*state)
        return 0;
    units_close(*state);
    free(*state);
    return 0;
}

static struct units *need(void **state)
{
    if (!*state) {
        print_message("there is no private systemd: run this under with-systemd\n");
        skip();
    }
    return *state;
}

/* ---- what goes well ---- */

static void a_unit_is_started_restarted_and_stopped(void **state)
{
    struct units *s = need(state);
    struct unit_seen first, second;
    struct witness w;

    watch(s, &w, "plain.service");
    first = wait_state(&w, STATE_STOPPED);
    assert_string_equal(first.fault, "");
    assert_true(first.wanted_known && first.wanted == GOAL_DOWN);
    do_well(s, &w, ACTION_START);
    first = last_seen(&w);
    assert_int_equal(first.state, STATE_RUNNING);
    assert_int_equal(kill(first.pid, 0), 0);
    assert_int_equal(strlen(first.invocation_id), 32);
    assert_int_equal(access(first.place, F_OK), 0);
    assert_true(strstr(first.place, "plain.service") != NULL);
    do_well(s, &w, ACTION_RESTART);
    second = last_seen(&w);
    assert_int_equal(second.state, STATE_RUNNING);
    assert_int_not_equal(first.pid, second.pid);
    assert_true(first.invocation != second.invocation);
    do_well(s, &w, ACTION_STOP);
    assert_int_equal(last_seen(&w).state, STATE_STOPPED);
    assert_int_equal(last_seen(&w).exit.kind, EXIT_SIGNAL);
    assert_int_equal(last_seen(&w).exit.value, SIGTERM);
    unwatch(&w);
}

static void every_request_ends_once_and_under_its_own_number(void **state)
{
    struct units *s = need(state);
    uint64_t ends = 0;
    struct witness w;

    watch(s, &w, "plain.service");
    for (int i = 0; i < 20; i++)
        do_well(s, &w, i % 2 ? ACTION_STOP : ACTION_RESTART);
    for (size_t i = 0; i < w.count; i++)
        if (w.told[i].event.kind == BACKEND_JOB_ENDED)
            assert_int_equal(w.told[i].event.request, ++ends);
    assert_int_equal(ends, 20);
    unwatch(&w);
}

static void a_reload_and_a_signal_reach_the_main_process(void **state)
{
    struct units *s = need(state);
    struct witness w;

    write_unit("hears.service",
               NO_LIMIT "[Service]\nType=notify\nNotifyAccess=all\n"
                        "ExecStart=/bin/sh -c 'trap \"exit 41\" USR1; systemd-notify --ready; "
                        "while :; do sleep 1000 & wait; done'\nExecReload=/bin/true\n");
    run("systemctl daemon-reload");
    watch(s, &w, "hears.service");
    do_well(s, &w, ACTION_START);
    do_well(s, &w, ACTION_RELOAD);
    do_well(s, &w, ACTION_SIGNAL);
    w.from = 0; /* it may have died before that was told */
    assert_int_equal(wait_state(&w, STATE_FAILED).exit.value, 41);
    ask(s, &w, ACTION_SIGNAL);
    expect_detail(&w, false, "no main process");
    unwatch(&w);
}

static void an_instance_of_a_template_is_a_unit_like_others(void **state)
{
    struct units *s = need(state);
    struct witness w;

    watch(s, &w, "worker@3.service");
    do_well(s, &w, ACTION_START);
    assert_int_equal(last_seen(&w).state, STATE_RUNNING);
    do_well(s, &w, ACTION_STOP);
    unwatch(&w);
}

static void a_oneshot_that_has_run_was_started_well(void **state)
{
    struct units *s = need(state);
    struct witness w;

    watch(s, &w, "oneshot.service");
    ask(s, &w, ACTION_START);
    expect_detail(&w, true, "it ran to its end");
    assert_int_equal(last_seen(&w).state, STATE_STOPPED);
    assert_int_equal(last_seen(&w).exit.kind, EXIT_CODE);
    ask(s, &w, ACTION_RESTART);
    expect_detail(&w, true, "it ran to its end");
    unwatch(&w);
}

static void a_stop_that_had_to_kill_is_a_stop_all_the_same(void **state)
{
    struct units *s = need(state);
    struct witness w;

    watch(s, &w, "stubborn.service");
    do_well(s, &w, ACTION_START);
    ask(s, &w, ACTION_STOP);
    expect_detail(&w, true, "not stopped within its TimeoutStopSec=200ms");
    assert_int_equal(last_seen(&w).pid, 0);
    run("systemctl reset-failed stubborn.service");
    wait_state(&w, STATE_STOPPED);
    unwatch(&w);
}

/* ---- what does not go well ---- */

static const struct failing {
    const char *unit;
    enum action action;
    const char *detail;
    enum service_state state;
} failing[] = {
    {"condition.service", ACTION_START, "skipped: ConditionPathExists=/there/is/none was not met",
     STATE_STOPPED},
    {"assert.service", ACTION_START, "refused: AssertPathExists=/there/is/none was not met",
     STATE_STOPPED},
    {"missing-simple.service", ACTION_START, "died at once: status 203, no such executable",
     STATE_FAILED},
    {"missing-exec.service", ACTION_START, "status 203, no such executable", STATE_FAILED},
    {"oneshot-fails.service", ACTION_START, "did not start: status 1", STATE_FAILED},
    {"notify-dies.service", ACTION_START, "did not start: status 7", STATE_FAILED},
    {"notify-ends.service", ACTION_START, "before it had said that it is ready", STATE_FAILED},
    {"notify-late.service", ACTION_START, "not ready within its TimeoutStartSec=200ms",
     STATE_FAILED},
    {"job-timeout.service", ACTION_START, "JobRunningTimeoutSec= ran out", STATE_STARTING},
    {"needs-oneshot.service", ACTION_START, "requires failed: oneshot-fails.service",
     STATE_STOPPED},
    {"refuses.service", ACTION_START, "only other units may start it (RefuseManualStart=)",
     STATE_STOPPED},
    {"user.service", ACTION_START, "status 217, there is no such user", STATE_FAILED},
    {"folder.service", ACTION_START, "status 200, its WorkingDirectory=", STATE_FAILED},
    {"bare.service", ACTION_RELOAD, "no ExecReload=", STATE_STOPPED},
    {"plain.service", ACTION_RELOAD, "only what is active can be reloaded", STATE_STOPPED},
    {"masked.service", ACTION_START, "is masked: `systemctl unmask masked.service`", STATE_STOPPED},
    {"absent.service", ACTION_START, "there is no unit absent.service", STATE_STOPPED},
    {"bad.service", ACTION_START, "systemd-analyze verify bad.service", STATE_STOPPED},
};

static void what_fails_is_told_with_its_reason(void **state)
{
    struct units *s = need(state);

    for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++) {
        struct witness w;

        watch(s, &w, failing[i].unit);
        ask(s, &w, failing[i].action);
        expect_detail(&w, false, failing[i].detail);
        if (last_seen(&w).state != failing[i].state)
            fail_msg("%s: %s, expected %s", failing[i].unit,
                     service_state_name(last_seen(&w).state), service_state_name(failing[i].state));
        unwatch(&w);
        run("systemctl stop %s 2>/dev/null || :; systemctl reset-failed", failing[i].unit);
    }
}

static void a_reload_that_fails_leaves_the_unit_running(void **state)
{
    struct units *s = need(state);
    struct witness w;

    watch(s, &w, "bad-reload.service");
    do_well(s, &w, ACTION_START);
    ask(s, &w, ACTION_RELOAD);
    expect_detail(&w, false, "its reload failed");
    assert_int_equal(last_seen(&w).state, STATE_RUNNING);
    do_well(s, &w, ACTION_STOP);
    unwatch(&w);
}

static void the_start_limit_is_named_with_what_lifts_it(void **state)
{
    struct units *s = need(state);
    struct witness w;

    watch(s, &w, "limited.service");
    do_well(s, &w, ACTION_START);
    ask(s, &w, ACTION_RESTART);
    expect_detail(&w, false, "systemctl reset-failed limited.service");
    assert_int_equal(last_seen(&w).state, STATE_FAILED);
    run("systemctl reset-failed limited.service");
    do_well(s, &w, ACTION_START);
    do_well(s, &w, ACTION_STOP);
    unwatch(&w);
}

static void faults_are_told_before_anything_is_asked(void **state)
{
    struct units *s = need(state);
    struct witness masked, absent, bad, typed;

    watch(s, &masked, "masked.service");
    wait_fault(&masked, "systemctl unmask masked.service");
    watch(s, &absent, "nothing-is-like-this-name.service");
    wait_fault(&absent, "there is no unit nothing-is-like-this-name.service: `systemctl list");
    watch(s, &bad, "bad.service");
    wait_fault(&bad, "systemd-analyze verify bad.service");
    watch(s, &typed, "stuborn.service");
    wait_fault(&typed, "did you mean stubborn.service?");
    unwatch(&masked);
    unwatch(&absent);
    unwatch(&bad);
    unwatch(&typed);
}

static void a_unit_that_is_there_after_a_reload_has_no_fault_any_more(void **state)
{
    struct units *s = need(state);
    struct witness w;

    watch(s, &w, "comes-later.service");
    wait_fault(&w, "there is no unit");
    write_unit("comes-later.service", SLEEPER);
    run("systemctl daemon-reload");
    wait_fault(&w, "");
    do_well(s, &w, ACTION_START);
    do_well(s, &w, ACTION_STOP);
    run("rm " UNIT_FOLDER "/comes-later.service; systemctl daemon-reload");
    wait_fault(&w, "there is no unit");
    unwatch(&w);
}

static void two_names_of_one_unit_are_driven_by_one_service(void **state)
{
    struct units *s = need(state);
    struct witness first, second;

    watch_as(s, &first, "web", "plain.service");
    wait_fault(&first, "");
    watch_as(s, &second, "shop", "other-name.service");
    wait_fault(&second, "is the same unit as service web's");
    ask(s, &second, ACTION_START);
    expect_detail(&second, false, "is the same unit as service web's");
    assert_int_equal(last_seen(&first).state, STATE_STOPPED);
    unwatch(&first);
    wait_fault(&second, "");
    do_well(s, &second, ACTION_START);
    do_well(s, &second, ACTION_STOP);
    unwatch(&second);
}

static void our_own_unit_is_not_driven(void **state)
{
    struct service_spec *spec = spec_new("self");
    char text[256] = "";

    need(state);
    spec->unit = strdup("with-systemd-command.scope");
    assert_false(systemd_backend_can_drive(spec, text));
    assert_non_null(strstr(text, "Orderly itself runs in"));
    spec_unref(spec);
}

/* ---- others ---- */

static void what_systemctl_does_is_seen(void **state)
{
    struct units *s = need(state);
    struct unit_seen seen;
    struct witness w;

    watch(s, &w, "plain.service");
    wait_state(&w, STATE_STOPPED);
    run("systemctl start plain.service");
    seen = wait_state(&w, STATE_RUNNING);
    assert_true(seen.wanted_known && seen.wanted == GOAL_UP);
    run("systemctl stop plain.service");
    do
        seen = wait_state(&w, STATE_STOPPED);
    while (!seen.wanted_known);
    assert_int_equal(seen.wanted, GOAL_DOWN);
    assert_int_equal(seen.pid, 0);
    unwatch(&w);
}

static void a_stop_by_another_takes_the_place_of_our_start(void **state)
{
    struct units *s = need(state);
    struct witness w;

    watch(s, &w, "notify-never.service");
    ask(s, &w, ACTION_START);
    wait_state(&w, STATE_STARTING);
    run("systemctl stop notify-never.service");
    expect_detail(&w, false, "another client's job took its place");
    unwatch(&w);
}

static void a_unit_that_systemd_restarts_is_never_seen_failed(void **state)
{
    struct units *s = need(state);
    struct unit_seen seen;
    struct witness w;

    watch(s, &w, "loop.service");
    wait_state(&w, STATE_STOPPED);
    run("systemctl start loop.service || :");
    for (int i = 0; i < 10; i++) {
        do
            seen = wait_state(&w, STATE_BACKOFF);
        while (seen.restarts < i);
        assert_true(seen.recovers && seen.wanted_known && seen.wanted == GOAL_UP);
    }
    assert_false(ever_told(&w, STATE_FAILED));
    for (size_t i = 1; i < w.count; i++) /* once it was started, nobody wants it down */
        assert_false(w.told[i].seen.wanted_known && w.told[i].seen.wanted == GOAL_DOWN);
    do_well(s, &w, ACTION_STOP);
    assert_int_equal(last_seen(&w).pid, 0);
    assert_false(last_seen(&w).state == STATE_BACKOFF); /* failed, if it was just dying */
    unwatch(&w);
}

static void a_crash_that_systemd_will_mend_is_backoff(void **state)
{
    struct units *s = need(state);
    struct unit_seen seen;
    struct witness w;

    watch(s, &w, "slow-loop.service");
    do_well(s, &w, ACTION_START);
    assert_int_equal(kill(last_seen(&w).pid, SIGKILL), 0);
    seen = wait_state(&w, STATE_BACKOFF);
    assert_int_equal(seen.exit.kind, EXIT_SIGNAL);
    assert_int_equal(seen.exit.value, SIGKILL);
    assert_false(ever_told(&w, STATE_FAILED));
    do_well(s, &w, ACTION_START); /* at once, not in an hour */
    do_well(s, &w, ACTION_STOP);
    unwatch(&w);
}

static void settings_that_are_longer_than_ours_are_advised_of(void **state)
{
    struct units *s = need(state);
    struct witness w;

    watch(s, &w, "notify-never.service");
    wait_fault(&w, "");
    assert_non_null(strstr(last_seen(&w).advice, "TimeoutStartSec=infinity"));
    assert_non_null(strstr(last_seen(&w).advice, "our timeout of 30s"));
    unwatch(&w);
}

/* ---- what is forgotten ---- */

static void a_forgotten_reload_is_cancelled_and_not_told(void **state)
{
    struct units *s = need(state);
    struct error err = {0};
    uint64_t reload;
    struct witness w;

    watch(s, &w, "slow-reload.service");
    do_well(s, &w, ACTION_START);
    ask(s, &w, ACTION_RELOAD);
    reload = w.instance->request;
    w.instance->ops->signal(w.instance, SIGKILL, REACH_RELOAD, &err);
    /* A job that still stood would make this one wait for it. */
    run("systemctl stop slow-reload.service");
    wait_state(&w, STATE_STOPPED);
    do_well(s, &w, ACTION_START);
    do_well(s, &w, ACTION_STOP);
    for (size_t i = 0; i < w.count; i++)
        assert_false(told_end(&w.told[i], &reload));
    unwatch(&w);
}

static void a_newer_request_makes_the_older_one_void(void **state)
{
    struct units *s = need(state);
    struct witness w;
    uint64_t start;

    watch(s, &w, "notify-never.service");
    ask(s, &w, ACTION_START);
    start = w.instance->request;
    wait_state(&w, STATE_STARTING);
    do_well(s, &w, ACTION_STOP);
    assert_int_equal(last_seen(&w).state, STATE_STOPPED);
    for (size_t i = 0; i < w.count; i++)
        assert_false(told_end(&w.told[i], &start));
    unwatch(&w);
}

static void everything_of_a_unit_can_be_killed(void **state)
{
    struct units *s = need(state);
    struct error err = {0};
    struct witness w;

    watch(s, &w, "stubborn.service");
    do_well(s, &w, ACTION_START);
    w.instance->ops->signal(w.instance, SIGKILL, REACH_TREE, &err);
    assert_int_equal(wait_state(&w, STATE_FAILED).exit.value, SIGKILL);
    run("systemctl reset-failed stubborn.service");
    unwatch(&w);
}

static void a_release_while_a_job_stands_tells_nothing_more(void **state)
{
    struct units *s = need(state);
    struct witness w;
    size_t count;

    watch(s, &w, "notify-never.service");
    ask(s, &w, ACTION_START);
    wait_state(&w, STATE_STARTING);
    w.instance->ops->release(w.instance);
    count = w.count;
    run("systemctl stop notify-never.service");
    assert_int_equal(w.count, count);
    spec_unref(w.spec);
}

/* ---- the bus and the manager go away ---- */

static void jobs_outlive_a_daemon_reload(void **state)
{
    struct units *s = need(state);
    struct witness w;

    watch(s, &w, "waits.service");
    ask(s, &w, ACTION_START);
    wait_state(&w, STATE_STARTING);
    run("systemctl daemon-reload");
    run("echo go > /run/gate");
    expect_well(&w);
    do_well(s, &w, ACTION_STOP);
    unwatch(&w);
}

static void jobs_outlive_a_daemon_reexec(void **state)
{
    struct units *s = need(state);
    struct witness w;

    watch(s, &w, "waits.service");
    ask(s, &w, ACTION_START);
    wait_state(&w, STATE_STARTING);
    run("systemctl daemon-reexec");
    run("echo go > /run/gate");
    expect_well(&w);
    assert_int_equal(last_seen(&w).state, STATE_RUNNING);
    do_well(s, &w, ACTION_STOP);
    unwatch(&w);
}

static void jobs_outlive_a_restart_of_dbus(void **state)
{
    struct units *s = need(state);
    struct witness w;

    watch(s, &w, "waits.service");
    ask(s, &w, ACTION_START);
    wait_state(&w, STATE_STARTING);
    run("systemctl restart dbus.service");
    run("echo go > /run/gate");
    expect_well(&w);
    do_well(s, &w, ACTION_STOP);
    unwatch(&w);
}

/* The answers are lost in some of these; what is told of them must be true all the same. */
static void restarts_go_on_while_the_manager_and_the_bus_come_and_go(void **state)
{
    struct units *s = need(state);
    struct witness w;
    uint64_t last = 0;
    int well = 0;

    watch(s, &w, "plain.service");
    do_well(s, &w, ACTION_START);
    run("(for i in 1 2 3; do systemctl daemon-reexec; systemctl restart dbus.service; "
        "systemctl daemon-reload; done; echo over > %s/over) & :",
        s->folder);
    for (;;) {
        char over[128];
        struct told told;

        ask(s, &w, ACTION_RESTART);
        told = wait_end(&w);
        if (told.event.well) {
            struct unit_seen seen = last_seen(&w);

            well++;
            assert_int_equal(seen.state, STATE_RUNNING);
            assert_true(seen.invocation != last);
            last = seen.invocation;
        } else if (!strstr(told.detail, "is not known")) {
            fail_msg("%s", told.detail);
        }
        w.count = w.from = 0; /* nothing is told now: nothing is asked */
        snprintf(over, sizeof over, "%s/over", s->folder);
        if (access(over, F_OK) == 0)
            break;
    }
    assert_true(well > 0);
    do_well(s, &w, ACTION_RESTART);
    do_well(s, &w, ACTION_STOP);
    unwatch(&w);
}

static void a_bus_that_is_away_is_told_and_healed(void **state)
{
    struct units *s = need(state);
    char health[256];
    struct witness w;

    systemd_backend_health(s->backend, BUS_SYSTEM, health);
    assert_string_equal(health, "unused");
    run("systemctl stop dbus.socket dbus.service 2>/dev/null");
    watch(s, &w, "plain.service");
    ask(s, &w, ACTION_START);
    assert_int_equal(wait_fault(&w, "the system bus cannot be reached").state, STATE_STOPPED);
    expect_detail(&w, false, "the system bus cannot be reached");
    run("systemctl start dbus.socket");
    wait_fault(&w, "");
    systemd_backend_health(s->backend, BUS_SYSTEM, health);
    assert_string_equal(health, "ok");
    assert_int_equal(last_seen(&w).state, STATE_STOPPED); /* what has failed is not sent later */
    do_well(s, &w, ACTION_START);
    run("systemctl stop dbus.socket dbus.service 2>/dev/null");
    assert_int_equal(wait_fault(&w, "the system bus cannot be reached").state, STATE_RUNNING);
    run("systemctl start dbus.socket");
    wait_fault(&w, "");
    do_well(s, &w, ACTION_STOP);
    unwatch(&w);
    run("busctl --timeout=30 status >/dev/null");
}

static void a_user_bus_that_is_not_there_is_told_with_what_would_help(void **state)
{
    struct units *s = need(state);
    struct error err = {0};
    struct witness w;

    unsetenv("XDG_RUNTIME_DIR");
    unsetenv("DBUS_SESSION_BUS_ADDRESS");
    watch(s, &w, "plain.service");
    wait_fault(&w, "");
    w.instance->ops->release(w.instance);
    w.spec->bus = BUS_USER;
    assert_int_equal(s->backend->ops->adopt(s->backend, w.spec, NULL, &w, &w.instance, &err), 0);
    wait_fault(&w, "set XDG_RUNTIME_DIR or DBUS_SESSION_BUS_ADDRESS");
    unwatch(&w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_unit_is_started_restarted_and_stopped),
        TEST(every_request_ends_once_and_under_its_own_number),
        TEST(a_reload_and_a_signal_reach_the_main_process),
        TEST(an_instance_of_a_template_is_a_unit_like_others),
        TEST(a_oneshot_that_has_run_was_started_well),
        TEST(a_stop_that_had_to_kill_is_a_stop_all_the_same),
        TEST(what_fails_is_told_with_its_reason),
        TEST(a_reload_that_fails_leaves_the_unit_running),
        TEST(the_start_limit_is_named_with_what_lifts_it),
        TEST(faults_are_told_before_anything_is_asked),
        TEST(a_unit_that_is_there_after_a_reload_has_no_fault_any_more),
        TEST(two_names_of_one_unit_are_driven_by_one_service),
        TEST(our_own_unit_is_not_driven),
        TEST(what_systemctl_does_is_seen),
        TEST(a_stop_by_another_takes_the_place_of_our_start),
        TEST(a_unit_that_systemd_restarts_is_never_seen_failed),
        TEST(a_crash_that_systemd_will_mend_is_backoff),
        TEST(settings_that_are_longer_than_ours_are_advised_of),
        TEST(a_forgotten_reload_is_cancelled_and_not_told),
        TEST(a_newer_request_makes_the_older_one_void),
        TEST(everything_of_a_unit_can_be_killed),
        TEST(a_release_while_a_job_stands_tells_nothing_more),
        TEST(jobs_outlive_a_daemon_reload),
        TEST(jobs_outlive_a_daemon_reexec),
        TEST(jobs_outlive_a_restart_of_dbus),
        TEST(restarts_go_on_while_the_manager_and_the_bus_come_and_go),
        TEST(a_bus_that_is_away_is_told_and_healed),
        TEST(a_user_bus_that_is_not_there_is_told_with_what_would_help),
    };

    return cmocka_run_group_tests(tests, set_up_all, NULL);
}
