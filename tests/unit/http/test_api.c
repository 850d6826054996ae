#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "http/api.h"
#include "problem.h"
#include "router.h"

static json_t *printed(void)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    json_t *json;

    http_print_api(f);
    fclose(f);
    json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    assert_non_null(json);
    return json;
}

static const char *string_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool lists(const json_t *array, const char *word)
{
    size_t i;
    json_t *value;

    json_array_foreach(array, i,
                       value) if (strcmp(json_string_value(value), word) == 0) return true;
    return false;
}

static void every_route_and_every_problem_is_listed(void **state)
{
    json_t *api = printed(), *rows = json_object_get(api, "routes");
    json_t *problems = json_object_get(api, "problems");

    (void)state;
    assert_int_equal(json_array_size(rows), route_count);
    assert_int_equal(json_array_size(problems), PROBLEM_COUNT);
    for (size_t i = 0; i < route_count; i++) {
        const json_t *row = json_array_get(rows, i);

        assert_string_equal(string_of(row, "method"), routes[i].method);
        assert_memory_equal(string_of(row, "path"), routes[i].path, strlen(routes[i].path));
        assert_true(json_array_size(json_object_get(row, "answers")) > 0);
        for (unsigned j = 0; j < PROBLEM_COUNT; j++)
            assert_int_equal(
                lists(json_object_get(row, "problems"), problem_kind((enum problem_code)j)->code),
                !!(routes[i].problems & PROBLEM_BIT(j)));
    }
    json_decref(api);
}

/* A code that nobody can give is no part of the contract. */
static void every_code_is_given_by_something(void **state)
{
    json_t *api = printed();
    unsigned given = 0;

    (void)state;
    for (size_t i = 0; i < route_count; i++)
        given |= routes[i].problems;
    for (unsigned i = 0; i < PROBLEM_COUNT; i++)
        if (!(given & PROBLEM_BIT(i)) &&
            !lists(json_object_get(api, "no_route"), problem_kind((enum problem_code)i)->code))
            fail_msg("nothing answers %s", problem_kind((enum problem_code)i)->code);
    json_decref(api);
}

static void every_parameter_of_a_route_is_explained(void **state)
{
    json_t *api = printed(), *row, *known, *name, *parameters = json_object_get(api, "parameters");
    size_t i, j, k;

    (void)state;
    json_array_foreach(json_object_get(api, "routes"), i, row)
    {
        json_array_foreach(json_object_get(row, "parameters"), j, name)
        {
            bool found = false;

            json_array_foreach(parameters, k, known) found |=
                strcmp(string_of(known, "name"), json_string_value(name)) == 0 &&
                *string_of(known, "expected");
            assert_true(found);
        }
    }
    json_decref(api);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_and_every_problem_is_listed),
        cmocka_unit_test(every_code_is_given_by_something),
        cmocka_unit_test(every_parameter_of_a_route_is_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
