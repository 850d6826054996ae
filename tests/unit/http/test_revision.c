#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "revision.h"

static void a_revision_is_read_back_from_its_text(void **state)
{
    const struct revision revisions[] = {{0xb3f1, 8812}, {0, 1}, {UINT32_MAX, UINT64_MAX}};

    (void)state;
    for (size_t i = 0; i < sizeof revisions / sizeof *revisions; i++) {
        char text[REVISION_TEXT_SIZE];
        struct revision found;

        revision_format(revisions[i], text);
        assert_true(revision_parse(text, &found));
        assert_int_equal(found.epoch, revisions[i].epoch);
        assert_true(found.number == revisions[i].number);
    }
}

static void what_is_no_revision_is_not_taken_for_one(void **state)
{
    const char *const words[] = {
        "",         "-",    "8812", "b3f1-",       "-8812",
        "b3f1-88x", "-1-1", "x-1",  "0x1-1",       "1--1",
        "1- 1",     " 1-1", "1-1 ", "100000000-1", "1-99999999999999999999"};
    struct revision found;

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (revision_parse(words[i], &found))
            fail_msg("\"%s\" was taken for a revision", words[i]);
}

static void if_none_match_is_a_list_of_tags_or_a_star(void **state)
{
    const struct revision r = {0xb3f1, 8812};

    (void)state;
    assert_true(revision_matches("\"b3f1-8812\"", r));
    assert_true(revision_matches("W/\"b3f1-8812\"", r));
    assert_true(revision_matches("\"x\", \"b3f1-8812\"", r));
    assert_true(revision_matches("\"\",W/\"a,b\" ,\tW/\"b3f1-8812\" ", r));
    assert_true(revision_matches("*", r));
    assert_false(revision_matches(NULL, r));
    assert_false(revision_matches("", r));
    assert_false(revision_matches("b3f1-8812", r));
    assert_false(revision_matches("\"b3f1-881\"", r));
    assert_false(revision_matches("\"b3f1-88122\"", r));
    assert_false(revision_matches("\"b3f1-8812", r));
    assert_false(revision_matches("\"x\", y, \"z", r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_revision_is_read_back_from_its_text),
        cmocka_unit_test(what_is_no_revision_is_not_taken_for_one),
        cmocka_unit_test(if_none_match_is_a_list_of_tags_or_a_star),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
