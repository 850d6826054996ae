#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "told.h"

static struct told accepted(size_t count, const enum operation_state *states, bool as_batch)
{
    struct operation operations[4] = {0};
    struct acceptance acceptance = {
        .result = ACCEPTED, .operations = operations, .count = count, .batch = as_batch ? 7 : 0};
    struct told told = {.as_batch = as_batch};

    for (size_t i = 0; i < count; i++) {
        operations[i].id = 7 + (int64_t)i;
        strcpy(operations[i].service, "web");
        operations[i].state = states[i];
        operations[i].batch = as_batch ? 7 : 0;
    }
    told_acceptance(&told, &acceptance);
    assert_false(told.failed);
    return told;
}

static unsigned status_of(size_t count, const enum operation_state *states)
{
    struct told told = accepted(count, states, count > 1);
    unsigned status = told_status(&told);

    told_deinit(&told);
    return status;
}

#define STATUS(...)                                                                                \
    status_of(sizeof((enum operation_state[]){__VA_ARGS__}) / sizeof(enum operation_state),        \
              (enum operation_state[]){__VA_ARGS__})

static void a_batch_has_succeeded_when_all_have_and_goes_on_while_one_does(void **state)
{
    (void)state;
    assert_int_equal(STATUS(OPERATION_SUCCEEDED), 200);
    assert_int_equal(STATUS(OPERATION_QUEUED), 202);
    for (enum operation_state s = OPERATION_FAILED; s <= OPERATION_INTERRUPTED; s++) {
        assert_int_equal(STATUS(s), 409);
        assert_int_equal(STATUS(OPERATION_SUCCEEDED, s), 409);
        assert_int_equal(STATUS(s, OPERATION_SUCCEEDED), 409);
        assert_int_equal(STATUS(s, OPERATION_RUNNING), 202);
    }
    assert_int_equal(STATUS(OPERATION_SUCCEEDED, OPERATION_SUCCEEDED), 200);
    assert_int_equal(STATUS(OPERATION_SUCCEEDED, OPERATION_QUEUED), 202);
}

static void one_is_shown_as_its_record_and_a_batch_as_all_of_them(void **state)
{
    const enum operation_state states[] = {OPERATION_SUCCEEDED, OPERATION_RUNNING};
    struct told one = accepted(1, states, false), two = accepted(2, states, true);
    char where[LOCATION_SIZE];
    struct text t = {0};
    json_t *json;

    (void)state;
    told_location(&one, where);
    assert_string_equal(where, "/operations/7");
    told_json(&one, &t);
    json = json_loads(t.data, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(json, "id")), 7);
    json_decref(json);
    text_clear(&t);
    told_location(&two, where);
    assert_string_equal(where, "/operations?batch=7");
    told_json(&two, &t);
    json = json_loads(t.data, 0, NULL);
    assert_int_equal(json_object_size(json), 2);
    assert_int_equal(json_integer_value(json_object_get(json, "batch")), 7);
    assert_int_equal(json_array_size(json_object_get(json, "operations")), 2);
    json_decref(json);
    text_deinit(&t);
    told_deinit(&one);
    told_deinit(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_has_succeeded_when_all_have_and_goes_on_while_one_does),
        cmocka_unit_test(one_is_shown_as_its_record_and_a_batch_as_all_of_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
