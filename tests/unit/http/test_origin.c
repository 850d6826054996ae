#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "origin.h"

static char *items[] = {"orderly.example"};
static const struct string_list names = {.items = items, .count = 1};

static bool asks(const char *origin, const char *site, const char *host, const char *scheme)
{
    const struct origin_facts facts = {origin, site, host, scheme};

    return origin_allowed(&facts, &names);
}

static void a_program_that_says_nothing_is_let_through(void **state)
{
    (void)state;
    assert_true(asks(NULL, NULL, "localhost:8091", "http"));
    assert_true(asks(NULL, NULL, NULL, "http"));
}

static void scheme_host_and_port_must_be_those_asked_for(void **state)
{
    (void)state;
    assert_true(asks("http://localhost:8091", NULL, "localhost:8091", "http"));
    assert_true(asks("http://LOCALHOST:8091", "same-origin", "localhost:8091", "http"));
    assert_true(asks("http://[::1]:8091", NULL, "[::1]:8091", "http"));
    assert_false(asks("https://localhost:8091", NULL, "localhost:8091", "http"));
    assert_false(asks("http://localhost:8091", NULL, "localhost:8091", "https"));
    assert_false(asks("http://localhost:3000", NULL, "localhost:8091", "http"));
    assert_false(asks("http://localhost", NULL, "localhost:8091", "http"));
    assert_false(asks("http://127.0.0.1:8091", NULL, "localhost:8091", "http"));
    assert_false(asks("http://evil.example", NULL, "localhost:8091", "http"));
    assert_false(asks("http://localhost:8091", NULL, NULL, "http"));
}

static void a_port_that_is_left_out_is_the_usual_one(void **state)
{
    (void)state;
    assert_true(asks("http://box", NULL, "box:80", "http"));
    assert_true(asks("https://box:443", NULL, "box", "https"));
    assert_false(asks("https://box", NULL, "box:80", "https"));
}

static void behind_a_unix_socket_the_scheme_is_the_proxys(void **state)
{
    (void)state;
    assert_true(asks("https://box", NULL, "box", NULL));
    assert_true(asks("http://box", NULL, "box", NULL));
    assert_false(asks("https://evil.example", NULL, "box", NULL));
}

static void what_is_no_page_of_the_web_is_refused(void **state)
{
    (void)state;
    assert_false(asks("null", NULL, "localhost", "http"));
    assert_false(asks("", NULL, "localhost", "http"));
    assert_false(asks("file://", NULL, "localhost", "http"));
    assert_false(asks("ftp://localhost", NULL, "localhost", "http"));
    assert_false(asks("http://", NULL, "localhost", "http"));
    assert_false(asks("http:/localhost", NULL, "localhost", "http"));
    assert_false(asks("http://localhost/", NULL, "localhost", "http"));
    assert_false(asks("http://localhost http://localhost", NULL, "localhost", "http"));
}

static void a_named_host_may_ask_from_any_port_and_scheme(void **state)
{
    (void)state;
    assert_true(asks("https://orderly.example", "cross-site", "localhost:8091", "http"));
    assert_true(asks("http://Orderly.Example:8443", NULL, "localhost:8091", "http"));
    assert_false(asks("https://orderly.example.evil", NULL, "localhost:8091", "http"));
}

static void without_an_origin_the_browser_says_where_it_stands(void **state)
{
    (void)state;
    assert_true(asks(NULL, "same-origin", "localhost", "http"));
    assert_true(asks(NULL, "none", "localhost", "http"));
    assert_false(asks(NULL, "cross-site", "localhost", "http"));
    assert_false(asks(NULL, "same-site", "localhost", "http"));
    assert_false(asks(NULL, "whatever", "localhost", "http"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_that_says_nothing_is_let_through),
        cmocka_unit_test(scheme_host_and_port_must_be_those_asked_for),
        cmocka_unit_test(a_port_that_is_left_out_is_the_usual_one),
        cmocka_unit_test(behind_a_unix_socket_the_scheme_is_the_proxys),
        cmocka_unit_test(what_is_no_page_of_the_web_is_refused),
        cmocka_unit_test(a_named_host_may_ask_from_any_port_and_scheme),
        cmocka_unit_test(without_an_origin_the_browser_says_where_it_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
