#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <stdio.h>

#include "problem.h"
#include "query.h"
#include "router.h"

static const char *const methods[] = {"GET",   "HEAD",    "POST",    "PUT",   "DELETE",
                                      "PATCH", "OPTIONS", "CONNECT", "TRACE", "BREW"};
#define METHODS (sizeof methods / sizeof *methods)

static void path_of(const struct route *route, char path[static 64])
{
    snprintf(path, 64, "%s%s", route->path,
             route->argument == ARGUMENT_SERVICE     ? "web"
             : route->argument == ARGUMENT_OPERATION ? "42"
                                                     : "");
}

static bool is_listed(const char *path, const char *method)
{
    const char *bare = strcmp(method, "HEAD") == 0 ? "GET" : method;
    char other[64];

    for (size_t i = 0; i < route_count; i++) {
        path_of(&routes[i], other);
        if (strcmp(other, path) == 0 && strcmp(routes[i].method, bare) == 0)
            return true;
    }
    return false;
}

static void every_route_is_found_by_its_methods_and_by_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        char path[64];

        path_of(&routes[i], path);
        for (size_t j = 0; j < METHODS; j++) {
            const struct route *found = NULL;
            const char *argument = NULL;
            struct text allow = {0};
            enum route_result result = router_find(methods[j], path, &found, &argument);
            char words[128];

            assert_int_equal(result,
                             is_listed(path, methods[j]) ? ROUTE_FOUND : ROUTE_WRONG_METHOD);
            router_allow(path, &allow);
            snprintf(words, sizeof words, " %s,", allow.data);
            char wanted[32];
            snprintf(wanted, sizeof wanted, " %s,", methods[j]);
            assert_int_equal(strstr(words, wanted) != NULL, result == ROUTE_FOUND);
            text_deinit(&allow);
        }
    }
}

static void the_argument_is_what_stands_behind_the_path(void **state)
{
    const struct route *found = NULL;
    const char *argument = NULL;

    (void)state;
    assert_int_equal(router_find("POST", "/restart/we%62", &found, &argument), ROUTE_FOUND);
    assert_int_equal(found->action, ACTION_RESTART);
    assert_string_equal(argument, "we%62");
    assert_int_equal(router_find("HEAD", "/status", &found, &argument), ROUTE_FOUND);
    assert_null(argument);
}

static void a_change_asks_for_more_than_a_look(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        if (strcmp(routes[i].method, "GET") == 0)
            assert_true(routes[i].role <= ROLE_READ);
        else
            assert_true(routes[i].role >= ROLE_OPERATE);
        if (strncmp(routes[i].path, "/daemon/", 8) == 0)
            assert_int_equal(routes[i].role, ROLE_ADMIN);
    }
}

static void expect_unknown(const char *path, const char *suggested)
{
    const struct route *found = NULL;
    const char *argument = NULL;
    struct text t = {0};

    assert_int_equal(router_find("GET", path, &found, &argument), ROUTE_UNKNOWN);
    assert_int_equal(router_suggest(path, &t), suggested != NULL);
    if (suggested)
        assert_string_equal(t.data, suggested);
    text_deinit(&t);
}

static void an_unknown_path_is_answered_with_the_nearest(void **state)
{
    (void)state;
    expect_unknown("/start", "POST /start/<service>");
    expect_unknown("/start/", "POST /start/<service>");
    expect_unknown("/start/a/b", "POST /start/<service>");
    expect_unknown("/retsart/backend", "POST /restart/<service>");
    expect_unknown("/operation/7", "GET /operations/<id>");
    expect_unknown("/stats", "GET /status");
    expect_unknown("/daemon/relaod", "POST /daemon/reload");
    expect_unknown("/", NULL);
    expect_unknown("/metrics", NULL);
    expect_unknown("/goall/backend", "PUT /goal/<service>");
    expect_unknown("/rotat/backend", "POST /rotate/<service>");
    expect_unknown("", NULL);
    expect_unknown("*", NULL);
}

static void only_what_makes_operations_takes_their_parameters(void **state)
{
    const unsigned of_operations =
        PARAMETER_TIMEOUT | PARAMETER_MODE | PARAMETER_COALESCE | PARAMETER_REASON;

    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &routes[i];

        if (route_makes_operations(r)) {
            assert_int_equal(r->parameters & of_operations, of_operations);
            assert_int_equal(r->role, ROLE_OPERATE);
            assert_int_not_equal(r->body, BODY_NONE);
            assert_true(r->answers & ANSWER_202);
            assert_true(r->problems & PROBLEM_BIT(PROBLEM_KEY_REUSED));
        } else {
            assert_int_equal(r->parameters & of_operations, 0);
            assert_false(r->problems & PROBLEM_BIT(PROBLEM_KEY_REUSED));
        }
    }
}

/* What stands in the row is what the manual says: a row that forgets these lies. */
static void every_row_says_what_it_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &routes[i];

        assert_true(r->answers & (ANSWER_200 | ANSWER_202));
        assert_true(r->problems & PROBLEM_BIT(PROBLEM_BAD_PARAMETER));
        assert_true(r->problems & PROBLEM_BIT(PROBLEM_FORBIDDEN));
        assert_int_equal(!!(r->problems & PROBLEM_BIT(PROBLEM_UNAUTHENTICATED)),
                         r->role != ROLE_NONE);
        assert_int_equal(!!(r->problems & PROBLEM_BIT(PROBLEM_UNKNOWN_SERVICE)),
                         r->argument == ARGUMENT_SERVICE || r->body == BODY_BATCH ||
                             !!(r->parameters & PARAMETER_SERVICE));
        assert_int_equal(!!(r->problems & PROBLEM_BIT(PROBLEM_NOT_JSON)), r->body != BODY_NONE);
        assert_int_equal(
            !!(r->problems & PROBLEM_BIT(PROBLEM_QUEUE_FULL)),
            !!(r->parameters & (PARAMETER_WAIT | PARAMETER_FOLLOW | PARAMETER_SINCE_EVENT)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_found_by_its_methods_and_by_no_other),
        cmocka_unit_test(the_argument_is_what_stands_behind_the_path),
        cmocka_unit_test(a_change_asks_for_more_than_a_look),
        cmocka_unit_test(only_what_makes_operations_takes_their_parameters),
        cmocka_unit_test(every_row_says_what_it_answers),
        cmocka_unit_test(an_unknown_path_is_answered_with_the_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
