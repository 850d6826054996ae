/* What became of a request: every result of a job against what the unit is, as one table; and the
 * errors of calls, the faults and the advice. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "unit_fault.h"
#include "unit_outcome.h"

#include <signal.h>
#include <string.h>

#define SEC UINT64_C(1000000)

/* A unit in a few words; what is not said is as a plain service has it. */
struct made {
    const char *active, *sub, *result, *type;
    int exit_code, exit_status;
    const char *condition, *assertion, *restart, *reload_result;
};

static struct unit_props props_of(const struct made *made)
{
    struct unit_props props;

    unit_props_init(&props);
    strcpy(props.active, made->active);
    strcpy(props.sub, made->sub ? made->sub : "dead");
    strcpy(props.result, made->result ? made->result : "success");
    strcpy(props.type, made->type ? made->type : "exec");
    strcpy(props.restart, made->restart ? made->restart : "no");
    strcpy(props.reload_result, made->reload_result ? made->reload_result : "success");
    props.exit_code = made->exit_code;
    props.exit_status = made->exit_status;
    props.start_timeout_us = 2 * SEC;
    props.stop_timeout_us = 3 * SEC;
    props.watchdog_us = 5 * SEC;
    if (made->condition) {
        props.condition_met = false;
        props.assert_met = false; /* it is not tried then */
        props.condition_at = 1;
        strcpy(props.condition, made->condition);
    }
    if (made->assertion) {
        props.assert_met = false;
        props.condition_at = props.assert_at = 1;
        strcpy(props.assertion, made->assertion);
    }
    return props;
}

#define UP                                                                                         \
    {                                                                                              \
        .active = "active", .sub = "running"                                                       \
    }
#define DOWN                                                                                       \
    {                                                                                              \
        .active = "inactive"                                                                       \
    }
#define FAILED(why, code, status)                                                                  \
    {                                                                                              \
        .active = "failed", .sub = "failed", .result = why, .exit_code = code,                     \
        .exit_status = status                                                                      \
    }

static const struct row {
    enum unit_action action;
    const char *result;
    struct made unit;
    bool well;
    const char *text; /* the whole of it, or a part when it begins with ~ */
} rows[] = {
    {UNIT_START, "done", UP, true, ""},
    {UNIT_RESTART, "done", UP, true, ""},
    {UNIT_RESTART, "done", {.active = "reloading", .sub = "reload"}, true, ""},
    {UNIT_START, "done", {.active = "active", .sub = "exited", .type = "oneshot"}, true, ""},
    {UNIT_START, "done", {.active = "inactive", .type = "oneshot"}, true, "it ran to its end"},
    {UNIT_START,
     "done",
     {.active = "inactive", .condition = "ConditionPathExists=!/x"},
     false,
     "skipped: ConditionPathExists=!/x was not met"},
    {UNIT_START,
     "done",
     {.active = "inactive", .type = "oneshot", .condition = ""},
     false,
     "skipped: a Condition...= of it was not met"},
    {UNIT_START,
     "assert",
     {.active = "inactive", .assertion = "AssertPathExists=/x"},
     false,
     "refused: AssertPathExists=/x was not met"},
    {UNIT_START, "assert", DOWN, false, "refused: an Assert...= of it was not met"},
    {UNIT_START,
     "done",
     {.active = "inactive", .result = "exec-condition"},
     false,
     "skipped: its ExecCondition= said no"},
    {UNIT_START,
     "done",
     {.active = "inactive", .exit_code = CLD_EXITED},
     false,
     "ended at once: it exited with status 0"},
    {UNIT_START, "done", FAILED("exit-code", CLD_EXITED, 203), false,
     "died at once: status 203, no such executable, or it may not be executed"},
    {UNIT_START, "done", FAILED("exit-code", CLD_EXITED, 7), false, "died at once: status 7"},
    {UNIT_START, "done", FAILED("signal", CLD_KILLED, SIGSEGV), false,
     "died at once: killed by SIGSEGV"},
    {UNIT_START,
     "done",
     {.active = "activating",
      .sub = "auto-restart",
      .result = "exit-code",
      .exit_code = CLD_EXITED,
      .exit_status = 1,
      .restart = "always"},
     false,
     "died at once: status 1; systemd will start it again (Restart=always)"},
    {UNIT_START,
     "done",
     {.active = "deactivating", .sub = "stop-sigterm"},
     false,
     "it was started, and is going another way already: the unit is deactivating/stop-sigterm"},
    {UNIT_STOP, "done", DOWN, true, ""},
    {UNIT_STOP, "done", FAILED("timeout", CLD_KILLED, SIGKILL), true,
     "systemd killed it: it had not stopped within its TimeoutStopSec=3s"},
    {UNIT_STOP, "done", FAILED("exit-code", CLD_EXITED, 143), true,
     "nothing of it is left, but systemd calls it failed: status 143"},
    {UNIT_STOP, "done", UP, false,
     "it was stopped, and somebody else has started it again: the unit is active/running"},
    {UNIT_RELOAD, "done", UP, true, ""},
    {UNIT_SIGNAL, "done", FAILED("signal", CLD_KILLED, SIGUSR1), true, ""},
    {UNIT_START, "failed", FAILED("exit-code", CLD_EXITED, 217), false,
     "did not start: status 217, there is no such user (User=)"},
    {UNIT_START, "failed", FAILED("exit-code", 0, 0), false,
     "~a command of it other than ExecStart= failed; `journalctl -u x.service`"},
    {UNIT_START, "failed", FAILED("timeout", CLD_KILLED, SIGTERM), false,
     "it was not ready within its TimeoutStartSec=2s, and systemd killed it"},
    {UNIT_START, "failed", FAILED("core-dump", CLD_DUMPED, SIGABRT), false,
     "did not start: killed by SIGABRT, which left a core dump"},
    {UNIT_START, "failed", FAILED("watchdog", CLD_DUMPED, SIGABRT), false,
     "did not start: it had not told its watchdog for WatchdogSec=5s"},
    {UNIT_START, "failed", FAILED("start-limit-hit", 0, 0), false,
     "~`systemctl reset-failed x.service` lets it be started again at once"},
    {UNIT_START, "failed", FAILED("oom-kill", CLD_KILLED, SIGKILL), false,
     "~killed because memory ran out"},
    {UNIT_START, "failed", FAILED("resources", 0, 0), false, "~`journalctl -u x.service` says"},
    {UNIT_START, "failed", FAILED("protocol", CLD_EXITED, 0), false,
     "did not start: its main process exited with status 0 before it had said that it is ready "
     "(Type=exec, result protocol)"},
    {UNIT_START, "failed", FAILED("something-new", 0, 0), false,
     "did not start: its result is something-new"},
    {UNIT_STOP, "failed", UP, false, "~could not be stopped: "},
    {UNIT_RELOAD,
     "failed",
     {.active = "active", .sub = "running", .reload_result = "exit-code"},
     false,
     "its reload failed (result exit-code): `journalctl -u x.service` has what it wrote; the unit "
     "is active/running"},
    {UNIT_START, "canceled", DOWN, false,
     "another client's job took its place, or cancelled it: the unit is inactive/dead"},
    {UNIT_START,
     "timeout",
     {.active = "activating", .sub = "start"},
     false,
     "its JobTimeoutSec= or JobRunningTimeoutSec= ran out: the unit is activating/start"},
    {UNIT_START, "dependency", DOWN, false,
     "a unit that it requires failed: `systemctl list-dependencies x.service` shows them"},
    {UNIT_START, "skipped", UP, false, "~skipped: "},
    {UNIT_RELOAD, "invalid", DOWN, false,
     "only what is active can be reloaded: the unit is inactive/dead"},
    {UNIT_RELOAD, "invalid", UP, false,
     "it has no ExecReload= to reload it by: the unit is active/running"},
    {UNIT_START, "invalid", DOWN, false, "~a unit in this state cannot do that"},
    {UNIT_START, "unsupported", DOWN, false, "~not supported here"},
    {UNIT_START, "collected", DOWN, false, "~nothing needed the unit any more"},
    {UNIT_START, "once", DOWN, false, "~once in a boot only"},
    {UNIT_START, "frozen", UP, false, "it is frozen: `systemctl thaw x.service` lets it go on"},
    {UNIT_START, "something-new", DOWN, false,
     "systemd ended the job with result something-new: the unit is inactive/dead"},
};

static void every_result_is_judged_by_what_the_unit_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct unit_props props = props_of(&rows[i].unit);
        struct unit_end end = {rows[i].action, "x.service", rows[i].result, &props,
                               NULL,           false,       false};
        const char *expected = rows[i].text;
        char text[UNIT_SENTENCE_SIZE];
        bool well = unit_outcome(&end, text);
        bool same =
            expected[0] == '~' ? strstr(text, expected + 1) != NULL : strcmp(text, expected) == 0;

        if (well != rows[i].well || !same)
            fail_msg("row %zu: %d, '%s', expected %d, '%s'", i, well, text, rows[i].well, expected);
    }
}

static void the_unit_that_failed_is_named_when_it_is_known(void **state)
{
    struct unit_props props = props_of(&(struct made)DOWN);
    struct unit_end end = {UNIT_START,   "x.service", "dependency", &props,
                           "db.service", false,       false};
    char text[UNIT_SENTENCE_SIZE];

    (void)state;
    assert_false(unit_outcome(&end, text));
    assert_string_equal(text, "a unit that it requires failed: db.service (`systemctl status "
                              "db.service` says why)");
}

static void a_lost_answer_is_judged_by_the_unit_alone(void **state)
{
    static const uint8_t before[16] = {1}, other[16] = {2};
    struct unit_props up = props_of(&(struct made)UP), down = props_of(&(struct made)DOWN);
    struct unit_end end = {.unit = "x.service", .result = "", .props = &up};
    char text[UNIT_SENTENCE_SIZE];

    (void)state;
    memcpy(up.invocation, before, sizeof before);
    end.action = UNIT_START;
    assert_true(unit_outcome_lost(&end, before, text));
    end.action = UNIT_RESTART;
    assert_false(unit_outcome_lost(&end, before, text)); /* the same run as before */
    assert_true(unit_outcome_lost(&end, other, text));
    end.action = UNIT_STOP;
    assert_false(unit_outcome_lost(&end, before, text));
    assert_string_equal(text, "the bus went away before the answer; whether it was done is not "
                              "known: the unit is active/running");
    end.action = UNIT_RELOAD;
    assert_false(unit_outcome_lost(&end, before, text));
    end.props = &down;
    end.action = UNIT_STOP;
    assert_true(unit_outcome_lost(&end, before, text));
    end.action = UNIT_START;
    assert_false(unit_outcome_lost(&end, before, text));
}

static void refusals_say_what_would_help(void **state)
{
    static const struct {
        enum unit_action action;
        const char *name, *part;
    } errors[] = {
        {UNIT_START, "org.freedesktop.systemd1.NoSuchUnit", "list-unit-files"},
        {UNIT_START, "org.freedesktop.systemd1.UnitMasked", "`systemctl unmask x.service`"},
        {UNIT_START, "org.freedesktop.systemd1.OnlyByDependency", "start it (RefuseManualStart=)"},
        {UNIT_STOP, "org.freedesktop.systemd1.OnlyByDependency", "stop it (RefuseManualStop=)"},
        {UNIT_STOP, "org.freedesktop.systemd1.TransactionIsDestructive", "is the host shutting"},
        {UNIT_STOP, "org.freedesktop.DBus.Error.AccessDenied", "refused by policy: no"},
        {UNIT_STOP, "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", "by policy"},
        {UNIT_START, "org.freedesktop.systemd1.LoadFailed", "`systemd-analyze verify x.service`"},
        {UNIT_START, "org.freedesktop.systemd1.BadUnitSetting", "`systemd-analyze verify"},
        {UNIT_RELOAD, "org.freedesktop.systemd1.JobTypeNotApplicable", "no ExecReload="},
        {UNIT_START, "org.freedesktop.systemd1.JobTypeNotApplicable", "cannot do that"},
        {UNIT_SIGNAL, "org.freedesktop.systemd1.NoSuchProcess", "no main process"},
        {UNIT_START, "org.freedesktop.systemd1.ShuttingDown", "shutting down"},
        {UNIT_START, "org.example.New", "systemd refused it: no (org.example.New)"},
    };
    char text[UNIT_SENTENCE_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        unit_call_error(errors[i].action, "x.service", errors[i].name, "no", text);
        if (!strstr(text, errors[i].part))
            fail_msg("%s: '%s', expected '%s'", errors[i].name, text, errors[i].part);
    }
}

static void errors_that_leave_the_outcome_open_are_known(void **state)
{
    (void)state;
    assert_true(unit_error_unknown("org.freedesktop.DBus.Error.NoReply"));
    assert_true(unit_error_unknown("org.freedesktop.DBus.Error.Disconnected"));
    assert_false(unit_error_unknown("org.freedesktop.DBus.Error.AccessDenied"));
    assert_false(unit_error_unknown("org.freedesktop.DBus.Error.ServiceUnknown"));
    assert_true(unit_error_undelivered("org.freedesktop.DBus.Error.ServiceUnknown"));
    assert_true(unit_error_undelivered("org.freedesktop.DBus.Error.Spawn.ChildExited"));
    assert_false(unit_error_undelivered("org.freedesktop.DBus.Error.NoReply"));
}

static void a_unit_that_cannot_be_loaded_has_a_fault(void **state)
{
    static const struct {
        const char *load_state, *nearest, *part;
    } faults[] = {
        {"not-found", NULL, "there is no unit x.service: `systemctl list-unit-files`"},
        {"not-found", "xy.service", "there is no unit x.service: did you mean xy.service?"},
        {"masked", NULL, "`systemctl unmask x.service`"},
        {"bad-setting", NULL, "`systemd-analyze verify x.service`: no ExecStart"},
        {"error", NULL, "`systemd-analyze verify x.service`: no ExecStart"},
    };
    struct unit_props props = props_of(&(struct made)DOWN);
    char text[UNIT_FAULT_SIZE];

    (void)state;
    strcpy(props.load_state, "loaded");
    unit_load_fault("x.service", &props, NULL, text);
    assert_string_equal(text, "");
    strcpy(props.load_error, "no ExecStart");
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        strcpy(props.load_state, faults[i].load_state);
        unit_load_fault("x.service", &props, faults[i].nearest, text);
        if (!strstr(text, faults[i].part))
            fail_msg("%s: '%s'", faults[i].load_state, text);
    }
}

static void timeouts_that_are_longer_than_ours_are_advised_of(void **state)
{
    struct unit_props props = props_of(&(struct made)UP); /* 2s to start, 3s to stop */
    char text[UNIT_FAULT_SIZE];

    (void)state;
    unit_advice(&props, 3 * SEC, text);
    assert_string_equal(text, "");
    unit_advice(&props, 2500000, text);
    assert_string_equal(text, "its TimeoutStopSec=3s is longer than our timeout of 2.5s: an "
                              "operation may end timed_out while systemd goes on");
    props.start_timeout_us = UINT64_MAX;
    unit_advice(&props, 3 * SEC, text);
    assert_string_equal(text, "its TimeoutStartSec=infinity is longer than our timeout of 3s: an "
                              "operation may end timed_out while systemd goes on");
    unit_advice(&props, 1 * SEC, text);
    assert_string_equal(text, "its TimeoutStartSec=infinity and TimeoutStopSec=3s are longer than "
                              "our timeout of 1s: an operation may end timed_out while systemd "
                              "goes on");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_result_is_judged_by_what_the_unit_is),
        cmocka_unit_test(the_unit_that_failed_is_named_when_it_is_known),
        cmocka_unit_test(a_lost_answer_is_judged_by_the_unit_alone),
        cmocka_unit_test(refusals_say_what_would_help),
        cmocka_unit_test(errors_that_leave_the_outcome_open_are_known),
        cmocka_unit_test(a_unit_that_cannot_be_loaded_has_a_fault),
        cmocka_unit_test(timeouts_that_are_longer_than_ours_are_advised_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
