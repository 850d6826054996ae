#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "model/operation.h"
#include "model/service_status.h"

static void a_failed_operation_shows_everything_that_is_known(void **state)
{
    struct operation op = {
        .id = 42,
        .service = "backend",
        .action = ACTION_RESTART,
        .state = OPERATION_FAILED,
        .changed = true,
        .requested_by = "uid:0",
        .accepted_utc = INT64_C(1795200252518204),
        .timeout_us = 30000000,
        .exit = {EXIT_CODE, 1},
    };
    struct text t = {0};

    (void)state;
    op.detail = strdup("exited with status 1 before becoming ready");
    assert_int_equal(string_list_add(&op.output, "say \"no\""), 0);
    operation_json(&op, &t);
    assert_string_equal(
        t.data, "{\"id\":42,\"service\":\"backend\",\"action\":\"restart\",\"state\":\"failed\","
                "\"changed\":true,\"origin\":\"api\",\"requested_by\":\"uid:0\",\"batch\":null,"
                "\"position\":0,\"waiting_for\":null,\"coalesced_into\":null,"
                "\"accepted_at\":\"2026-11-20T18:44:12.518204Z\",\"started_at\":null,"
                "\"finished_at\":null,\"timeout_seconds\":30,\"signal\":null,\"reason\":null,"
                "\"durable\":false,"
                "\"detail\":\"exited with status 1 before becoming ready\","
                "\"exit\":{\"code\":1},\"output\":[\"say \\\"no\\\"\"]}");
    text_deinit(&t);
    operation_deinit(&op);
}

static void a_copy_of_an_operation_shares_nothing_with_it(void **state)
{
    struct operation op = {.id = 1}, copy;

    (void)state;
    op.detail = strdup("why");
    assert_int_equal(string_list_add(&op.output, "line"), 0);
    assert_int_equal(operation_copy(&copy, &op), 0);
    operation_deinit(&op);
    assert_string_equal(copy.detail, "why");
    assert_string_equal(copy.output.items[0], "line");
    operation_deinit(&copy);
}

static void signals_are_read_as_people_write_them(void **state)
{
    char name[16];

    (void)state;
    assert_int_equal(signal_parse("TERM"), SIGTERM);
    assert_int_equal(signal_parse("SIGTERM"), SIGTERM);
    assert_int_equal(signal_parse("15"), SIGTERM);
    assert_int_equal(signal_parse("RTMIN+3"), SIGRTMIN + 3);
    assert_int_equal(signal_parse("TREM"), -1);
    assert_int_equal(signal_parse("0"), -1);
    assert_int_equal(signal_parse("-9"), -1);
    signal_name(SIGKILL, name);
    assert_string_equal(name, "SIGKILL");
}

/* The journal must read again what it holds; 32 and 33 have no name, but may be sent. */
static void every_signal_is_read_as_it_is_written(void **state)
{
    char name[16];

    (void)state;
    for (int i = 1; i <= SIGRTMAX; i++) {
        signal_name(i, name);
        assert_int_equal(signal_parse(name), i);
    }
}

static void names_of_services_are_safe_as_names_of_files(void **state)
{
    char longest[SERVICE_NAME_MAX + 2];

    (void)state;
    assert_true(service_name_valid("backend"));
    assert_true(service_name_valid("worker@3.service"));
    assert_false(service_name_valid(""));
    assert_false(service_name_valid(".hidden"));
    assert_false(service_name_valid("../etc"));
    assert_false(service_name_valid("a/b"));
    assert_false(service_name_valid("a b"));
    memset(longest, 'a', sizeof longest);
    longest[SERVICE_NAME_MAX + 1] = '\0';
    assert_false(service_name_valid(longest));
    longest[SERVICE_NAME_MAX] = '\0';
    assert_true(service_name_valid(longest));
}

static void a_change_of_limits_needs_no_new_instance_and_a_change_of_command_does(void **state)
{
    struct service_spec *a = spec_new("x"), *b = spec_new("x");

    (void)state;
    assert_true(spec_equal(a, b));
    b->queue_limit++;
    assert_false(spec_equal(a, b));
    assert_true(spec_same_instance(a, b));
    assert_int_equal(string_list_add(&b->argv, "/bin/true"), 0);
    assert_false(spec_same_instance(a, b));
    spec_unref(a);
    spec_unref(b);
}

static void a_sealed_spec_says_what_the_one_it_was_made_of_said(void **state)
{
    struct service_spec *plain = spec_new("x"), *spec = spec_new("x"), *sealed;

    (void)state;
    for (struct service_spec *s = plain; s; s = s == plain ? spec : NULL) {
        s->description = strdup("a service");
        assert_int_equal(string_list_add(&s->argv, "/bin/echo"), 0);
        assert_int_equal(string_list_add(&s->argv, ""), 0);
        assert_int_equal(string_list_add(&s->tags, "night"), 0);
        s->groups = calloc(2, sizeof *s->groups);
        assert_non_null(s->groups);
        s->groups[s->group_count++] = 7;
        s->groups[s->group_count++] = 9;
    }
    sealed = spec_seal(spec);
    assert_non_null(sealed);
    assert_true(spec_equal(sealed, plain));
    assert_string_equal(sealed->name, "x");
    assert_null(sealed->directory);
    assert_null(sealed->argv.items[2]);
    assert_null(sealed->requires.items);
    assert_memory_equal(sealed->groups, plain->groups, 2 * sizeof *plain->groups);
    spec_unref(spec_ref(sealed));
    assert_string_equal(sealed->tags.items[0], "night");
    spec_unref(sealed);
    spec_unref(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_operation_shows_everything_that_is_known),
        cmocka_unit_test(a_copy_of_an_operation_shares_nothing_with_it),
        cmocka_unit_test(signals_are_read_as_people_write_them),
        cmocka_unit_test(every_signal_is_read_as_it_is_written),
        cmocka_unit_test(names_of_services_are_safe_as_names_of_files),
        cmocka_unit_test(a_change_of_limits_needs_no_new_instance_and_a_change_of_command_does),
        cmocka_unit_test(a_sealed_spec_says_what_the_one_it_was_made_of_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
