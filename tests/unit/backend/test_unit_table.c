/* What a unit's properties come to: every row of the table, and what is made of the rest. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "unit_seen.h"
#include "unit_table.h"

#include <signal.h>
#include <string.h>

static struct unit_props props_of(const char *active, const char *sub)
{
    struct unit_props props;

    unit_props_init(&props);
    strcpy(props.active, active);
    strcpy(props.sub, sub);
    strcpy(props.result, "success");
    return props;
}

static void every_state_of_systemd_is_one_of_ours(void **state)
{
    static const struct {
        const char *active, *sub;
        enum service_state ours;
    } rows[] = {
        {"active", "running", STATE_RUNNING},
        {"active", "exited", STATE_RUNNING},
        {"reloading", "reload", STATE_RUNNING},
        {"refreshing", "refresh", STATE_RUNNING},
        {"maintenance", "cleaning", STATE_RUNNING},
        {"activating", "start", STATE_STARTING},
        {"activating", "start-pre", STATE_STARTING},
        {"activating", "condition", STATE_STARTING},
        {"activating", "auto-restart", STATE_BACKOFF},
        {"activating", "auto-restart-queued", STATE_BACKOFF},
        {"deactivating", "stop-sigterm", STATE_STOPPING},
        {"deactivating", "final-sigkill", STATE_STOPPING},
        {"failed", "failed", STATE_FAILED},
        {"failed", "failed-before-auto-restart", STATE_BACKOFF},
        {"inactive", "dead", STATE_STOPPED},
        {"inactive", "dead-before-auto-restart", STATE_BACKOFF},
        {"inactive", "dead-resources-pinned", STATE_STOPPED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct unit_props props = props_of(rows[i].active, rows[i].sub);

        for (int was = STATE_STOPPED; was <= STATE_FAILED; was++)
            assert_int_equal(unit_state(&props, (enum service_state)was), rows[i].ours);
    }
}

static void a_state_that_is_not_known_leaves_ours_as_it_was(void **state)
{
    struct unit_props none = props_of("", ""), new = props_of("hovering", "high");

    (void)state;
    assert_int_equal(unit_state(&none, STATE_STOPPED), STATE_STOPPED);
    assert_int_equal(unit_state(&new, STATE_RUNNING), STATE_RUNNING);
    assert_int_equal(unit_state(&new, STATE_FAILED), STATE_FAILED);
}

static void the_moment_between_the_pause_and_the_start_is_backoff_still(void **state)
{
    struct unit_props props = props_of("inactive", "dead");

    (void)state;
    strcpy(props.restart, "on-failure");
    props.job = 7;
    assert_int_equal(unit_state(&props, STATE_BACKOFF), STATE_BACKOFF);
    assert_int_equal(unit_state(&props, STATE_RUNNING), STATE_STOPPED);
    strcpy(props.active, "failed");
    assert_int_equal(unit_state(&props, STATE_BACKOFF), STATE_BACKOFF);
    strcpy(props.result, "start-limit-hit");
    assert_int_equal(unit_state(&props, STATE_BACKOFF), STATE_FAILED);
    strcpy(props.result, "exit-code");
    props.job = 0;
    assert_int_equal(unit_state(&props, STATE_BACKOFF), STATE_FAILED);
    props.job = 7;
    strcpy(props.restart, "no");
    assert_int_equal(unit_state(&props, STATE_BACKOFF), STATE_FAILED);
}

static void what_is_wanted_is_told_by_what_lasts(void **state)
{
    struct unit_props idle = props_of("inactive", "dead"), busy = idle;
    enum goal goal;

    (void)state;
    busy.job = 7;
    assert_true(unit_wanted(&idle, STATE_RUNNING, &goal) && goal == GOAL_UP);
    assert_true(unit_wanted(&idle, STATE_STARTING, &goal) && goal == GOAL_UP);
    assert_true(unit_wanted(&idle, STATE_BACKOFF, &goal) && goal == GOAL_UP);
    assert_true(unit_wanted(&idle, STATE_STOPPED, &goal) && goal == GOAL_DOWN);
    assert_false(unit_wanted(&busy, STATE_STOPPED, &goal)); /* in the middle of a restart */
    assert_false(unit_wanted(&idle, STATE_STOPPING, &goal));
    assert_false(unit_wanted(&idle, STATE_FAILED, &goal));
}

static void restart_no_and_nothing_said_are_no_recovery(void **state)
{
    struct unit_props props = props_of("active", "running");

    (void)state;
    assert_false(unit_recovers(&props));
    strcpy(props.restart, "no");
    assert_false(unit_recovers(&props));
    strcpy(props.restart, "on-abnormal");
    assert_true(unit_recovers(&props));
}

static void how_the_main_process_ended_is_read_as_a_signal_of_a_child_tells_it(void **state)
{
    struct unit_props props = props_of("failed", "failed");

    (void)state;
    assert_int_equal(unit_props_exit(&props).kind, EXIT_NONE);
    props.exit_code = CLD_EXITED;
    props.exit_status = 3;
    assert_int_equal(unit_props_exit(&props).kind, EXIT_CODE);
    assert_int_equal(unit_props_exit(&props).value, 3);
    props.exit_code = CLD_DUMPED;
    props.exit_status = SIGSEGV;
    assert_int_equal(unit_props_exit(&props).kind, EXIT_SIGNAL);
    assert_int_equal(unit_props_exit(&props).value, SIGSEGV);
}

static void a_unit_that_was_unloaded_keeps_how_it_ended(void **state)
{
    struct unit_props old = props_of("active", "running"), fresh = props_of("inactive", "dead");

    (void)state;
    memset(old.invocation, 7, sizeof old.invocation);
    old.exit_code = CLD_KILLED;
    old.exit_status = SIGTERM;
    unit_props_carry(&fresh, &old);
    assert_int_equal(fresh.exit_status, SIGTERM);
    assert_true(unit_props_has_run(&fresh));
    fresh.exit_status = SIGKILL;
    fresh.invocation[0] = 9; /* one of its own: nothing is taken from the old */
    unit_props_carry(&fresh, &old);
    assert_int_equal(fresh.exit_status, SIGKILL);
    assert_int_equal(fresh.invocation[0], 9);
}

static void what_is_told_has_all_that_is_known(void **state)
{
    struct unit_props props = props_of("active", "running");
    struct unit_seen seen, again;

    (void)state;
    for (size_t i = 0; i < sizeof props.invocation; i++)
        props.invocation[i] = (uint8_t)i;
    props.main_pid = 4711;
    props.restarts = 2;
    props.needs_reload = true;
    strcpy(props.control_group, "/system.slice/x.service");
    unit_seen_make(&props, "/sys/fs/cgroup", STATE_STOPPED, &seen);
    assert_string_equal(seen.invocation_id, "000102030405060708090a0b0c0d0e0f");
    assert_true(seen.invocation == UINT64_C(0x0001020304050607));
    assert_string_equal(seen.place, "/sys/fs/cgroup/system.slice/x.service");
    assert_int_equal(seen.pid, 4711);
    assert_int_equal(seen.restarts, 2);
    assert_true(seen.config_changed);
    unit_seen_make(&props, "/sys/fs/cgroup", STATE_STOPPED, &again);
    assert_memory_equal(&seen, &again, sizeof seen);
}

static void a_place_that_does_not_fit_is_left_out_whole(void **state)
{
    struct unit_props props = props_of("active", "running");
    struct unit_seen seen;

    (void)state;
    memset(props.control_group, 'x', sizeof props.control_group - 1);
    unit_seen_make(&props, "/sys/fs/cgroup", STATE_STOPPED, &seen);
    assert_string_equal(seen.place, "");
    strcpy(props.control_group, "/x");
    unit_seen_make(&props, NULL, STATE_STOPPED, &seen);
    assert_string_equal(seen.place, "");
}

static void a_unit_that_nothing_is_known_of_wants_nothing(void **state)
{
    struct unit_props props = props_of("", "");
    struct unit_seen seen;

    (void)state;
    unit_seen_make(&props, NULL, STATE_STOPPED, &seen);
    assert_int_equal(seen.state, STATE_STOPPED);
    assert_false(seen.wanted_known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_of_systemd_is_one_of_ours),
        cmocka_unit_test(a_state_that_is_not_known_leaves_ours_as_it_was),
        cmocka_unit_test(the_moment_between_the_pause_and_the_start_is_backoff_still),
        cmocka_unit_test(what_is_wanted_is_told_by_what_lasts),
        cmocka_unit_test(restart_no_and_nothing_said_are_no_recovery),
        cmocka_unit_test(how_the_main_process_ended_is_read_as_a_signal_of_a_child_tells_it),
        cmocka_unit_test(a_unit_that_was_unloaded_keeps_how_it_ended),
        cmocka_unit_test(what_is_told_has_all_that_is_known),
        cmocka_unit_test(a_place_that_does_not_fit_is_left_out_whole),
        cmocka_unit_test(a_unit_that_nothing_is_known_of_wants_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
