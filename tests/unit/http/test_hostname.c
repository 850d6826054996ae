#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "hostname.h"

static void an_address_is_host_and_port(void **state)
{
    char host[HOSTNAME_MAX], port[6];

    (void)state;
    assert_true(hostname_split("127.0.0.1:8091", host, port));
    assert_string_equal(host, "127.0.0.1");
    assert_string_equal(port, "8091");
    assert_true(hostname_split("[::1]:80", host, port));
    assert_string_equal(host, "::1");
    assert_string_equal(port, "80");
    assert_true(hostname_split("localhost", host, port));
    assert_string_equal(port, "");
    assert_false(hostname_split("", host, port));
    assert_false(hostname_split(":80", host, port));
    assert_false(hostname_split("a:", host, port));
    assert_false(hostname_split("a:80x", host, port));
    assert_false(hostname_split("a:123456", host, port));
    assert_false(hostname_split("[::1", host, port));
    assert_false(hostname_split("[::1]80", host, port));
    assert_false(hostname_split("::1", host, port));
}

static void only_loopback_and_our_own_names_are_us(void **state)
{
    char *items[] = {"orderly.example", "10.1.2.3"};
    const struct string_list names = {.items = items, .count = 2};

    (void)state;
    assert_true(hostname_allowed("Orderly.Example:443", "127.0.0.1", &names));
    assert_true(hostname_allowed("10.1.2.3", "127.0.0.1", &names));
    assert_false(hostname_allowed("www.orderly.example", "127.0.0.1", &names));
    assert_false(hostname_allowed("orderly.example.", "127.0.0.1", &names));
    assert_true(hostname_allowed("localhost", "127.0.0.1", &names));
    assert_true(hostname_allowed("LocalHost:8091", "127.0.0.1", &names));
    assert_true(hostname_allowed("127.0.0.1:8091", "localhost", &names));
    assert_true(hostname_allowed("127.9.9.9", "localhost", &names));
    assert_true(hostname_allowed("[::1]:8091", "localhost", &names));
    assert_true(hostname_allowed("Box.example:8091", "box.example", &names));
    assert_false(hostname_allowed("evil.example", "127.0.0.1", &names));
    assert_false(hostname_allowed("127.0.0.1.evil.example", "127.0.0.1", &names));
    assert_false(hostname_allowed("localhost.evil.example:8091", "127.0.0.1", &names));
    assert_false(hostname_allowed("", "127.0.0.1", &names));
    assert_false(hostname_allowed("128.0.0.1", "127.0.0.1", &names));
}

static void a_name_with_a_port_is_that_port_only(void **state)
{
    char *items[] = {"ops.example:8877", "[2001:db8::1]", "[2001:db8::2]:443", NULL};
    const struct string_list names = {items, 3};

    (void)state;
    assert_true(hostname_allowed("OPS.example:8877", "127.0.0.1", &names));
    assert_false(hostname_allowed("ops.example:8878", "127.0.0.1", &names));
    assert_false(hostname_allowed("ops.example", "127.0.0.1", &names));
    assert_true(hostname_allowed("[2001:db8::1]:8091", "127.0.0.1", &names));
    assert_true(hostname_allowed("[2001:db8::2]:443", "127.0.0.1", &names));
    assert_false(hostname_allowed("[2001:db8::2]:80", "127.0.0.1", &names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_with_a_port_is_that_port_only),
        cmocka_unit_test(an_address_is_host_and_port),
        cmocka_unit_test(only_loopback_and_our_own_names_are_us),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
