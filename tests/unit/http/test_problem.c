#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <microhttpd.h>

#include "problem.h"

static void every_code_has_a_name_of_its_own_a_status_and_its_title(void **state)
{
    (void)state;
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        const struct problem_kind *kind = problem_kind((enum problem_code)i);

        assert_non_null(kind->code);
        assert_true(kind->status >= 400 && kind->status <= 599);
        assert_string_equal(kind->title, MHD_get_reason_phrase_for(kind->status));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(kind->code, problem_kind((enum problem_code)j)->code);
    }
}

static void only_what_may_pass_says_when_to_ask_again(void **state)
{
    (void)state;
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        const struct problem_kind *kind = problem_kind((enum problem_code)i);

        assert_true(!kind->retry_after || kind->status == 429 || kind->status == 503);
    }
    assert_non_null(problem_kind(PROBLEM_QUEUE_FULL)->retry_after);
}

static void the_body_has_the_six_members_whatever_the_detail_holds(void **state)
{
    struct text t = {0};
    json_t *json;

    (void)state;
    problem_json(PROBLEM_UNKNOWN_SERVICE, "there is no service \"a\nb\"", "/start/a%0ab", &t);
    json = json_loads(t.data, 0, NULL);
    assert_non_null(json);
    assert_int_equal(json_object_size(json), 6);
    assert_string_equal(json_string_value(json_object_get(json, "type")), "about:blank");
    assert_string_equal(json_string_value(json_object_get(json, "title")), "Not Found");
    assert_int_equal(json_integer_value(json_object_get(json, "status")), 404);
    assert_string_equal(json_string_value(json_object_get(json, "code")), "unknown_service");
    assert_string_equal(json_string_value(json_object_get(json, "detail")),
                        "there is no service \"a\nb\"");
    assert_string_equal(json_string_value(json_object_get(json, "instance")), "/start/a%0ab");
    json_decref(json);
    text_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_name_of_its_own_a_status_and_its_title),
        cmocka_unit_test(only_what_may_pass_says_when_to_ask_again),
        cmocka_unit_test(the_body_has_the_six_members_whatever_the_detail_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
