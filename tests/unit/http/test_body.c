#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "body.h"

#define OPERATE (PARAMETER_WAIT | PARAMETER_TIMEOUT | PARAMETER_REASON | PARAMETER_SIGNAL)

static int parse(const char *body, struct query *query, enum problem_code *code, struct error *err)
{
    query_init(query);
    return body_parse(body, strlen(body), OPERATE, query, code, err);
}

static void members_mean_what_parameters_mean(void **state)
{
    struct query q;
    enum problem_code code;
    struct error err = {0};

    (void)state;
    assert_int_equal(parse("{}", &q, &code, &err), 0);
    assert_int_equal(q.given, 0);
    assert_int_equal(parse("{\"timeout\": 60, \"wait\": true}", &q, &code, &err), 0);
    assert_int_equal(q.timeout, 60 * USEC_PER_SEC);
    assert_true(q.wait == CLOCK_NEVER);
    assert_int_equal(parse("{\"timeout\": 0.25, \"wait\": \"45s\"}", &q, &code, &err), 0);
    assert_int_equal(q.timeout, USEC_PER_SEC / 4);
    assert_int_equal(q.wait, 45 * USEC_PER_SEC);
}

static void expect_refused(const char *body, enum problem_code expected, const char *says)
{
    struct query q;
    enum problem_code code;
    struct error err = {0};

    assert_true(parse(body, &q, &code, &err) < 0);
    assert_int_equal(code, expected);
    if (!strstr(err.text, says))
        fail_msg("%s: \"%s\" does not say \"%s\"", body, err.text, says);
}

static void everything_else_is_refused_and_says_why(void **state)
{
    (void)state;
    expect_refused("hello", PROBLEM_NOT_JSON, "line 1, column");
    expect_refused("{\"timeout\": 1", PROBLEM_NOT_JSON, "line 1, column");
    expect_refused("{\"timeout\": 1e999}", PROBLEM_NOT_JSON, "line 1, column");
    expect_refused("{\"wait\": \"\\u0000\"}", PROBLEM_NOT_JSON, "line 1, column");
    expect_refused("[]", PROBLEM_BAD_BODY, "object");
    expect_refused("{\"wait\": 1, \"wait\": 2}", PROBLEM_BAD_BODY, "duplicate");
    expect_refused("{\"tmeout\": 1}", PROBLEM_BAD_BODY, "did you mean \"timeout\"?");
    expect_refused("{\"timeout\": null}", PROBLEM_BAD_BODY, "a number, a string or a boolean");
    expect_refused("{\"timeout\": {}}", PROBLEM_BAD_BODY, "a number, a string or a boolean");
    expect_refused("{\"timeout\": -1}", PROBLEM_BAD_BODY, "1ms to 24h");
    expect_refused("{\"timeout\": 1e300}", PROBLEM_BAD_BODY, "1ms to 24h");
    expect_refused("{\"timeout\": true}", PROBLEM_BAD_BODY, "1ms to 24h");
}

static void a_text_must_be_a_string_and_a_signal_may_be_a_number(void **state)
{
    struct query q;
    enum problem_code code;
    struct error err = {0};

    (void)state;
    assert_int_equal(parse("{\"reason\": \"say \\\"hi\\\"\", \"signal\": 10}", &q, &code, &err), 0);
    assert_string_equal(q.reason, "say \"hi\"");
    assert_int_equal(q.signal, 10);
    expect_refused("{\"reason\": 4711}", PROBLEM_BAD_BODY, "must be a string");
    expect_refused("{\"reason\": false}", PROBLEM_BAD_BODY, "must be a string");
    expect_refused("{\"reason\": true}", PROBLEM_BAD_BODY, "must be a string");
    expect_refused("{\"reason\": \"a\\u001bb\"}", PROBLEM_BAD_BODY, "control characters");
    expect_refused("{\"signal\": 1.5}", PROBLEM_BAD_BODY, "as HUP");
    expect_refused("{\"signal\": true}", PROBLEM_BAD_BODY, "as HUP");
}

static void nesting_is_bounded_before_anything_is_built(void **state)
{
    char deep[60001];

    (void)state;
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    expect_refused(deep, PROBLEM_BAD_BODY, "more than 8 levels");
    expect_refused("{\"a\":[[[[[[[[]]]]]]]]}", PROBLEM_BAD_BODY, "more than 8 levels");
    expect_refused("{\"a\":[[[[[[[]]]]]]]}", PROBLEM_BAD_BODY, "a number, a string or a");
    expect_refused("{\"reason\": \"[[[[[[[[[[[\\\"{{{{{{\", \"x\": 1}", PROBLEM_BAD_BODY,
                   "no parameter \"x\"");
    expect_refused("]]]]]", PROBLEM_NOT_JSON, "line 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_mean_what_parameters_mean),
        cmocka_unit_test(everything_else_is_refused_and_says_why),
        cmocka_unit_test(a_text_must_be_a_string_and_a_signal_may_be_a_number),
        cmocka_unit_test(nesting_is_bounded_before_anything_is_built),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
