#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/units.h"

static void expect_json(const char *bytes, size_t n, const char *json)
{
    struct text t = {0};

    text_json_bytes(&t, bytes, n);
    assert_string_equal(t.data, json);
    text_deinit(&t);
}

static void json_escapes_what_it_must_and_repairs_what_is_not_utf8(void **state)
{
    (void)state;
    expect_json("plain", 5, "\"plain\"");
    expect_json("a\"b\\c\n\t\r", 8, "\"a\\\"b\\\\c\\n\\t\\r\"");
    expect_json("\x1b[31m\x7f\0z", 8, "\"\\u001b[31m\\u007f\\u0000z\"");
    expect_json("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9,
                "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
    expect_json("\xff", 1, "\"\xef\xbf\xbd\"");
    expect_json("\xc3", 1, "\"\xef\xbf\xbd\"");                                   /* cut short */
    expect_json("\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");                   /* overlong */
    expect_json("\xed\xa0\x80x", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\""); /* surrogate */
}

static void text_grows_over_every_size(void **state)
{
    struct text t = {0};

    (void)state;
    for (int i = 0; i < 5000; i++)
        text_append_n(&t, "x", 1);
    text_appendf(&t, "%0*d", 3000, 7);
    assert_int_equal(t.len, 8000);
    assert_int_equal(strlen(t.data), 8000);
    char *data = text_take(&t);
    assert_null(t.data);
    free(data);
    data = text_take(&t);
    assert_string_equal(data, "");
    free(data);
}

static void times_are_written_in_utc(void **state)
{
    char text[CLOCK_TEXT_SIZE];

    (void)state;
    clock_format_utc(INT64_C(1795200252518204), text);
    assert_string_equal(text, "2026-11-20T18:44:12.518204Z");
    clock_format_utc(-1, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
    clock_format_utc(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
}

static void every_day_of_the_calendar_is_the_one_that_libc_tells(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 2932897; day += day < 50000 ? 1 : 61) { /* up to 9999 */
        int64_t second = day * 86400 + day % 86400;
        char text[CLOCK_TEXT_SIZE], expected[CLOCK_TEXT_SIZE];
        struct tm tm;

        gmtime_r(&(time_t){second}, &tm);
        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000007Z", &tm);
        clock_format_utc(second * USEC_PER_SEC + 7, text);
        assert_string_equal(text, expected);
    }
}

static void formatted_text_fills_any_room(void **state)
{
    (void)state;
    for (int width = 1; width < 600; width++) {
        struct text t = {0};

        text_append(&t, "0123456789");
        text_appendf(&t, "%0*d", width, 7);
        text_appendf(&t, "%d", 8);
        assert_int_equal(t.len, 11 + width);
        assert_int_equal(strlen(t.data), t.len);
        assert_string_equal(t.data + t.len - 2, "78");
        text_deinit(&t);
    }
}

static void whole_numbers_are_written_up_to_the_last(void **state)
{
    struct text t = {0};

    (void)state;
    text_json_int(&t, 0);
    text_json_int(&t, INT64_MIN);
    text_json_int(&t, INT64_MAX);
    assert_string_equal(t.data, "0-92233720368547758089223372036854775807");
    text_deinit(&t);
}

static void expect_duration(const char *s, int result, int64_t us)
{
    int64_t value = -1;

    assert_int_equal(units_parse_duration(s, &value), result);
    assert_int_equal(value, result == 0 ? us : -1);
}

static void durations_are_read_with_their_units(void **state)
{
    (void)state;
    expect_duration("500ms", 0, 500000);
    expect_duration("30s", 0, 30000000);
    expect_duration("5m", 0, 300000000);
    expect_duration("2h", 0, INT64_C(7200000000));
    expect_duration("30", 0, 30000000);
    expect_duration("1.5s", 0, 1500000);
    expect_duration("0", 0, 0);
    expect_duration("", -22, 0);
    expect_duration("-1s", -22, 0);
    expect_duration("30x", -22, 0);
    expect_duration("1.", -22, 0);
    expect_duration("s", -22, 0);
    expect_duration("30 s", -22, 0);
    expect_duration("99999999999999999999d", -34, 0);
    expect_duration("999999999999999d", -34, 0);
}

static void sizes_are_read_with_their_units(void **state)
{
    int64_t value = 0;

    (void)state;
    assert_int_equal(units_parse_size("64K", &value), 0);
    assert_int_equal(value, 65536);
    assert_int_equal(units_parse_size("10M", &value), 0);
    assert_int_equal(value, 10 << 20);
    assert_int_equal(units_parse_size("10MB", &value), -22);
    assert_int_equal(units_parse_int("-17", &value), 0);
    assert_int_equal(value, -17);
    assert_int_equal(units_parse_int("1.5", &value), -22);
    assert_int_equal(units_parse_int("0x10", &value), -22);
}

static void what_is_written_can_be_read_again(void **state)
{
    static const int64_t values[] = {0,       1,        500000,   1000000,   1500000,
                                     9900000, 30000000, 90000000, 300000000, 86400000000};
    char text[UNITS_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        int64_t again = -1;

        units_format_duration(values[i], text);
        assert_int_equal(units_parse_duration(text, &again), 0);
        assert_int_equal(again, values[i]);
    }
}

static void the_nearest_word_is_the_one_that_was_meant(void **state)
{
    static const char *const words[] = {"backend", "frontend", "timeout", "stop_timeout"};

    (void)state;
    assert_string_equal(nearest_word("backendd", words, 4), "backend");
    assert_string_equal(nearest_word("bakcend", words, 4), "backend");
    assert_string_equal(nearest_word("TIMEOUT", words, 4), "timeout");
    assert_string_equal(nearest_word("stoptimeout", words, 4), "stop_timeout");
    assert_null(nearest_word("zebra", words, 4));
    assert_null(nearest_word("", words, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_escapes_what_it_must_and_repairs_what_is_not_utf8),
        cmocka_unit_test(text_grows_over_every_size),
        cmocka_unit_test(times_are_written_in_utc),
        cmocka_unit_test(every_day_of_the_calendar_is_the_one_that_libc_tells),
        cmocka_unit_test(formatted_text_fills_any_room),
        cmocka_unit_test(whole_numbers_are_written_up_to_the_last),
        cmocka_unit_test(durations_are_read_with_their_units),
        cmocka_unit_test(sizes_are_read_with_their_units),
        cmocka_unit_test(what_is_written_can_be_read_again),
        cmocka_unit_test(the_nearest_word_is_the_one_that_was_meant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
