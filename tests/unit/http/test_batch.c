#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "batch.h"

#define ALLOWED                                                                                    \
    (PARAMETER_WAIT | PARAMETER_TIMEOUT | PARAMETER_MODE | PARAMETER_COALESCE | PARAMETER_REASON)
#define A "{\"action\":\"restart\",\"service\":\"web\"}"

static int parse(const char *body, struct query *query, struct batch *batch,
                 enum problem_code *code, struct error *err)
{
    query_init(query);
    return batch_parse(body, strlen(body), ALLOWED, query, batch, code, err);
}

static void each_operation_is_read_with_what_stands_beside_them(void **state)
{
    struct query q;
    struct batch b;
    enum problem_code code;
    struct error err = {0};

    (void)state;
    assert_int_equal(parse("{\"operations\":[{\"action\":\"restart\",\"service\":\"web*\"},"
                           "{\"service\":\"@db\",\"timeout\":\"90s\",\"action\":\"stop\"},"
                           "{\"action\":\"signal\",\"signal\":\"USR1\",\"service\":\"a\"}],"
                           "\"mode\":\"fail\",\"timeout\":7,\"reason\":\"why not\"}",
                           &q, &b, &code, &err),
                     0);
    assert_int_equal(b.count, 3);
    assert_string_equal(b.items[0].service, "web*");
    assert_int_equal(b.items[0].action, ACTION_RESTART);
    assert_int_equal(b.items[0].timeout_us, 7 * USEC_PER_SEC);
    assert_string_equal(b.items[1].service, "@db");
    assert_int_equal(b.items[1].action, ACTION_STOP);
    assert_int_equal(b.items[1].timeout_us, 90 * USEC_PER_SEC);
    assert_int_equal(b.items[2].action, ACTION_SIGNAL);
    assert_int_equal(b.items[2].signal, SIGUSR1);
    assert_int_equal(q.mode, MODE_FAIL);
    assert_string_equal(q.reason, "why not");
    batch_deinit(&b);
}

static void expect_refused(const char *body, enum problem_code expected, const char *says)
{
    struct query q;
    struct batch b;
    enum problem_code code;
    struct error err = {0};

    if (parse(body, &q, &b, &code, &err) == 0)
        fail_msg("%s: taken", body);
    assert_int_equal(code, expected);
    if (!strstr(err.text, says))
        fail_msg("%s: \"%s\" does not say \"%s\"", body, err.text, says);
}

static void expect_bad(const char *body, const char *says)
{
    expect_refused(body, PROBLEM_BAD_BODY, says);
}

static void whatever_is_wrong_is_named_with_its_place(void **state)
{
    (void)state;
    expect_refused("{", PROBLEM_NOT_JSON, "line 1, column");
    expect_bad("[]", "object");
    expect_bad("{}", "\"operations\" is missing");
    expect_bad("{\"opertions\":[" A "]}", "did you mean \"operations\"?");
    expect_bad("{\"operations\":{}}", "a list of at least one");
    expect_bad("{\"operations\":[]}", "a list of at least one");
    expect_bad("{\"operations\":[" A ",3]}", "operations[1]: must be an object");
    expect_bad("{\"operations\":[" A "],\"operations\":[" A "]}", "duplicate");
    expect_bad("{\"operations\":[" A "],\"mod\":\"fail\"}", "did you mean \"mode\"?");
    expect_bad("{\"operations\":[" A "],\"signal\":\"HUP\"}", "no parameter \"signal\"");
    expect_bad("{\"operations\":[" A "," A "," A ",{\"acton\":\"stop\",\"service\":\"web\"}]}",
               "operations[3].acton: there is no such field; did you mean \"action\"?");
    expect_bad("{\"operations\":[{\"x\":1}]}", "operations[0].x: there is no such field");
}

static void a_field_must_be_there_once_and_of_its_kind(void **state)
{
    (void)state;
    expect_bad("{\"operations\":[{\"service\":\"web\"}]}", "operations[0]: \"action\" is missing");
    expect_bad("{\"operations\":[{\"action\":\"stop\"}]}", "operations[0]: \"service\" is missing");
    expect_bad("{\"operations\":[{\"action\":\"stop\",\"action\":\"start\",\"service\":\"a\"}]}",
               "duplicate");
    expect_bad("{\"operations\":[{\"action\":\"reastart\",\"service\":\"a\"}]}",
               "operations[0].action: must be start, stop, restart, reload or signal; did you "
               "mean \"restart\"?");
    expect_bad("{\"operations\":[{\"action\":1,\"service\":\"a\"}]}", "operations[0].action");
    expect_bad("{\"operations\":[{\"action\":\"stop\",\"service\":[\"a\"]}]}",
               "operations[0].service: must be a name");
    expect_bad("{\"operations\":[{\"action\":\"stop\",\"service\":\"\"}]}",
               "operations[0].service: must be a name");
    expect_bad("{\"operations\":[{\"action\":\"stop\",\"service\":\"a\",\"timeout\":0}]}",
               "operations[0].timeout");
    expect_bad("{\"operations\":[{\"action\":\"signal\",\"service\":\"a\"}]}",
               "\"signal\" is missing");
    expect_bad("{\"operations\":[{\"action\":\"stop\",\"service\":\"a\",\"signal\":\"HUP\"}]}",
               "not for stop");
    expect_bad("{\"operations\":[{\"action\":\"signal\",\"service\":\"a\",\"signal\":\"X\"}]}",
               "operations[0].signal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation_is_read_with_what_stands_beside_them),
        cmocka_unit_test(whatever_is_wrong_is_named_with_its_place),
        cmocka_unit_test(a_field_must_be_there_once_and_of_its_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
