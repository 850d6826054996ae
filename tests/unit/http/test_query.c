#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "query.h"

#define ALL     0x3ffffu /* but since of the events: a word means one thing in a request */
#define OPERATE (PARAMETER_WAIT | PARAMETER_TIMEOUT)

static void expect_set(struct query *query, const char *name, const char *value)
{
    struct error err = {0};

    if (query_set(query, ALL, name, value, &err) < 0)
        fail_msg("%s=%s: %s", name, value ? value : "(bare)", err.text);
}

static void expect_refused(unsigned allowed, const char *name, const char *value, const char *says)
{
    struct query query;
    struct error err = {0};

    query_init(&query);
    assert_true(query_set_encoded(&query, allowed, name, value, &err) < 0);
    if (!strstr(err.text, says))
        fail_msg("%s=%s: \"%s\" does not say \"%s\"", name, value ? value : "(bare)", err.text,
                 says);
    assert_int_equal(query.given, 0);
}

static void every_parameter_is_read_as_its_kind(void **state)
{
    struct query q;

    (void)state;
    query_init(&q);
    expect_set(&q, "wait", "0.5");
    expect_set(&q, "timeout", "45s");
    expect_set(&q, "service", "web@1");
    expect_set(&q, "state", "timed_out");
    expect_set(&q, "before", "7");
    expect_set(&q, "limit", "1000");
    expect_set(&q, "since", "b3f1-8812");
    expect_set(&q, "lines", "0");
    expect_set(&q, "follow", NULL);
    expect_set(&q, "strict", "yes");
    expect_set(&q, "leave", "no");
    expect_set(&q, "mode", "replace");
    expect_set(&q, "coalesce", "no");
    expect_set(&q, "reason", "the new certificate is there");
    expect_set(&q, "signal", "SIGUSR1");
    expect_set(&q, "goal", "up");
    expect_set(&q, "batch", "42");
    expect_set(&q, "stream", "stderr");
    assert_int_equal(q.given, ALL);
    assert_int_equal(q.wait, USEC_PER_SEC / 2);
    assert_int_equal(q.timeout, 45 * USEC_PER_SEC);
    assert_string_equal(q.service, "web@1");
    assert_int_equal(q.state, OPERATION_TIMED_OUT);
    assert_int_equal(q.before, 7);
    assert_int_equal(q.limit, 1000);
    assert_int_equal(q.since.epoch, 0xb3f1);
    assert_int_equal(q.since.number, 8812);
    assert_int_equal(q.lines, 0);
    assert_true(q.follow && q.strict && !q.leave && !q.coalesce);
    assert_int_equal(q.mode, MODE_REPLACE);
    assert_string_equal(q.reason, "the new certificate is there");
    assert_int_equal(q.signal, SIGUSR1);
    assert_int_equal(q.goal, GOAL_UP);
    assert_int_equal(q.batch, 42);
    assert_int_equal(q.stream, STREAM_STDERR);
}

static void a_bare_wait_lasts_as_long_as_it_takes(void **state)
{
    struct query q;

    (void)state;
    query_init(&q);
    expect_set(&q, "wait", NULL);
    assert_true(q.wait == CLOCK_NEVER);
    query_init(&q);
    expect_set(&q, "wait", "no");
    assert_int_equal(q.wait, 0);
    query_init(&q);
    expect_set(&q, "wait", "yes");
    assert_true(q.wait == CLOCK_NEVER);
}

static void what_is_not_given_has_its_default(void **state)
{
    struct query q;

    (void)state;
    query_init(&q);
    assert_int_equal(q.limit, 100);
    assert_int_equal(q.lines, 100);
    assert_int_equal(q.state, -1);
    assert_int_equal(q.wait, 0);
    assert_int_equal(q.timeout, 0);
    assert_int_equal(q.mode, MODE_QUEUE);
    assert_int_equal(q.stream, STREAM_STDOUT);
    assert_int_equal(q.signal, 0);
    assert_int_equal(q.batch, 0);
}

static void an_unknown_parameter_is_refused_with_the_nearest_or_all(void **state)
{
    (void)state;
    expect_refused(OPERATE, "tmeout", "5", "did you mean \"timeout\"?");
    expect_refused(OPERATE, "mode", "fail", "takes wait, timeout");
    expect_refused(ALL, "mod", "fail", "did you mean \"mode\"?");
    expect_refused(ALL, "everything", "1", "reason, signal, goal, batch, stream");
    expect_refused(OPERATE, "limit", "5", "no parameter \"limit\" here");
    expect_refused(0, "wait", NULL, "takes none");
    expect_refused(OPERATE, "", NULL, "no parameter \"\"");
}

static void a_value_out_of_its_range_is_refused_with_the_range(void **state)
{
    (void)state;
    expect_refused(ALL, "wait", "3601", "from 0 to 3600");
    expect_refused(ALL, "wait", "", "from 0 to 3600");
    expect_refused(ALL, "wait", "-1", "not \"-1\"");
    expect_refused(ALL, "timeout", "0", "1ms to 24h");
    expect_refused(ALL, "timeout", "999us", "1ms to 24h");
    expect_refused(ALL, "timeout", "25h", "1ms to 24h");
    expect_refused(ALL, "timeout", "99999999999999999999", "1ms to 24h");
    expect_refused(ALL, "timeout", NULL, "1ms to 24h");
    expect_refused(ALL, "limit", "0", "from 1 to 1000");
    expect_refused(ALL, "limit", "1001", "from 1 to 1000");
    expect_refused(ALL, "limit", "1.5", "from 1 to 1000");
    expect_refused(ALL, "before", "0", "from 1");
    expect_refused(ALL, "state", "done", "timed_out");
    expect_refused(ALL, "service", "../etc", "the name of a service");
    expect_refused(ALL, "since", "8812", "revision");
    expect_refused(ALL, "follow", "maybe", "yes or no");
    expect_refused(ALL, "lines", "100001", "from 0 to 100000");
    expect_refused(ALL, "mode", "force", "queue, fail or replace");
    expect_refused(ALL, "mode", NULL, "queue, fail or replace");
    expect_refused(ALL, "signal", "HUPP", "as HUP");
    expect_refused(ALL, "signal", "0", "as HUP");
    expect_refused(ALL, "signal", "-1", "as HUP");
    expect_refused(ALL, "signal", "65", "as HUP");
    expect_refused(ALL, "goal", "running", "up or down");
    expect_refused(ALL, "batch", "0", "from 1");
    expect_refused(ALL, "stream", "both", "stdout or stderr");
    expect_refused(ALL, "coalesce", "maybe", "yes or no");
}

static void a_reason_is_text_that_can_be_shown_anywhere(void **state)
{
    char longest[REASON_MAX + 2];
    struct query q;

    (void)state;
    memset(longest, 'x', sizeof longest);
    longest[REASON_MAX + 1] = '\0';
    expect_refused(ALL, "reason", longest, "1 to 256 bytes");
    longest[REASON_MAX] = '\0';
    query_init(&q);
    expect_set(&q, "reason", longest);
    assert_string_equal(q.reason, longest);
    query_init(&q);
    expect_set(&q, "reason", "größer als \xf0\x9f\x9a\x80 & <b>");
    expect_refused(ALL, "reason", "", "1 to 256 bytes");
    expect_refused(ALL, "reason", NULL, "1 to 256 bytes");
    expect_refused(ALL, "reason", "two%0alines", "control characters");
    expect_refused(ALL, "reason", "%1b[2J", "control characters");
    expect_refused(ALL, "reason", "%7f", "control characters");
    expect_refused(ALL, "reason", "%c2%9b2J", "control characters"); /* CSI in one character */
    expect_refused(ALL, "reason", "%ff", "UTF-8");
    expect_refused(ALL, "reason", "%c3", "UTF-8");
    expect_refused(ALL, "reason", "%c0%af", "UTF-8");
    expect_refused(ALL, "reason", "%ed%a0%80", "UTF-8");
    expect_refused(ALL, "reason", "%f4%90%80%80", "UTF-8");
}

static void since_is_a_revision_or_the_id_of_an_event(void **state)
{
    struct error err = {0};
    struct query q;

    (void)state;
    query_init(&q);
    assert_int_equal(query_set(&q, PARAMETER_SINCE_EVENT, "since", "8812", &err), 0);
    assert_int_equal(q.given, PARAMETER_SINCE_EVENT);
    assert_int_equal(q.since_event, 8812);
    expect_refused(PARAMETER_SINCE_EVENT, "since", "b3f1-8812", "the id of an event");
    expect_refused(PARAMETER_SINCE_EVENT, "since", "-1", "the id of an event");
    expect_refused(PARAMETER_SINCE, "since", "8812", "revision");
}

static void the_parameters_can_be_listed(void **state)
{
    const char *expected, *name;
    size_t count = 0;

    (void)state;
    while ((name = query_parameter(count, &expected))) {
        assert_true(*name && *expected);
        count++;
    }
    assert_int_equal((1u << count) - 1, ALL | PARAMETER_SINCE_EVENT);
}

static void a_parameter_given_twice_is_refused(void **state)
{
    struct query q;
    struct error err = {0};

    (void)state;
    query_init(&q);
    expect_set(&q, "limit", "3");
    assert_true(query_set(&q, ALL, "limit", "3", &err) < 0);
    assert_non_null(strstr(err.text, "given twice"));
    assert_true(query_set_encoded(&q, ALL, "li%6dit", "3", &err) < 0);
    assert_non_null(strstr(err.text, "given twice"));
}

static void percent_signs_are_read_strictly(void **state)
{
    struct query q;
    struct error err = {0};

    (void)state;
    query_init(&q);
    assert_int_equal(query_set_encoded(&q, ALL, "servic%65", "w%65b%40A", &err), 0);
    assert_string_equal(q.service, "web@A");
    expect_refused(ALL, "service", "a%00b", "%00 is not allowed");
    expect_refused(ALL, "service", "a%4", "two hex digits");
    expect_refused(ALL, "service", "a%zz", "two hex digits");
    expect_refused(ALL, "%", NULL, "two hex digits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parameter_is_read_as_its_kind),
        cmocka_unit_test(a_bare_wait_lasts_as_long_as_it_takes),
        cmocka_unit_test(what_is_not_given_has_its_default),
        cmocka_unit_test(an_unknown_parameter_is_refused_with_the_nearest_or_all),
        cmocka_unit_test(a_value_out_of_its_range_is_refused_with_the_range),
        cmocka_unit_test(a_reason_is_text_that_can_be_shown_anywhere),
        cmocka_unit_test(since_is_a_revision_or_the_id_of_an_event),
        cmocka_unit_test(the_parameters_can_be_listed),
        cmocka_unit_test(a_parameter_given_twice_is_refused),
        cmocka_unit_test(percent_signs_are_read_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
