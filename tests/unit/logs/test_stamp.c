/* The time before each line, and the way back from what was written to what it was made of. */
#include "logs/fixture.h"

#include "stamp.h"

static const char stamp[] = "2026-11-20T18:44:12.518204Z ";

static void assert_stamped(const char *data, bool at_start, const char *expected)
{
    char out[1024];
    size_t size = stamp_lines(data, strlen(data), at_start, stamp, out, sizeof out), clean;

    out[size] = '\0';
    assert_string_equal(out, expected);
    assert_int_equal(stamp_source(out, size, at_start, &clean), strlen(data));
    assert_int_equal(clean, size);
}

static void every_line_begins_with_its_time(void **state)
{
    (void)state;
    assert_stamped("one\ntwo\n", true,
                   "2026-11-20T18:44:12.518204Z one\n2026-11-20T18:44:12.518204Z two\n");
    assert_stamped("\n\n", true, "2026-11-20T18:44:12.518204Z \n2026-11-20T18:44:12.518204Z \n");
    assert_stamped("", true, "");
}

static void a_line_that_goes_on_gets_no_second_time(void **state)
{
    (void)state;
    assert_stamped(" end\nnew", false, " end\n2026-11-20T18:44:12.518204Z new");
    assert_stamped("goes on", false, "goes on");
}

static void the_time_is_now_in_utc(void **state)
{
    char before[CLOCK_TEXT_SIZE], now[STAMP_SIZE + 1], after[CLOCK_TEXT_SIZE];

    (void)state;
    clock_format_utc(clock_utc_us(), before);
    stamp_now(now);
    clock_format_utc(clock_utc_us(), after);
    assert_int_equal(strlen(now), STAMP_SIZE);
    assert_int_equal(now[STAMP_SIZE - 1], ' ');
    now[STAMP_SIZE - 1] = '\0';
    assert_true(strcmp(before, now) <= 0 && strcmp(now, after) <= 0);
}

/* Whatever there is room for, or was written before the disk was full, stands for a beginning. */
static void any_cut_stands_for_a_beginning_of_the_source(void **state)
{
    static const char data[] = "a\n\nlonger line\nno end";
    char out[1024], again[1024];

    (void)state;
    for (int at_start = 0; at_start < 2; at_start++) {
        size_t all = stamp_lines(data, strlen(data), at_start, stamp, out, sizeof out);

        for (size_t cut = 0; cut <= all; cut++) {
            size_t clean, source = stamp_source(out, cut, at_start, &clean);
            size_t size = stamp_lines(data, source, at_start, stamp, again, sizeof again);

            assert_true(clean <= cut && cut - clean <= STAMP_SIZE);
            assert_int_equal(size, clean);
            assert_memory_equal(again, out, size);
            size = stamp_lines(data, strlen(data), at_start, stamp, again, cut);
            assert_int_equal(stamp_source(again, size, at_start, &clean), source);
            assert_int_equal(clean, size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_begins_with_its_time),
        cmocka_unit_test(a_line_that_goes_on_gets_no_second_time),
        cmocka_unit_test(the_time_is_now_in_utc),
        cmocka_unit_test(any_cut_stands_for_a_beginning_of_the_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
