#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "reader.h"

#include <stdlib.h>
#include <string.h>

/* What is read, one line an item: "1:1 [section]", "2:1 key=value at 2:7"; then the errors. */
static char *read_all(const char *data, size_t len)
{
    struct problems problems = {0};
    struct report report = {.problems = &problems, .file = "f"};
    char *copy = malloc(len + 1);
    struct text t = {0};
    struct reader reader;
    struct item item;

    assert_non_null(copy);
    memcpy(copy, data, len);
    reader_init(&reader, copy, len, &report);
    while (reader_next(&reader, &item)) {
        struct place value = {0};

        if (item.kind == ITEM_SECTION) {
            text_appendf(&t, "%d:%d [%s]\n", item.at.line, item.at.column,
                         item.name ? item.name : "?");
            continue;
        }
        value = reader_place(&reader, item.value_offset);
        text_appendf(&t, "%d:%d %s=%s at %d:%d\n", item.at.line, item.at.column, item.name,
                     item.value, value.line, value.column);
    }
    for (size_t i = 0; i < problems.count; i++)
        text_appendf(&t, "%d:%d! %s\n", problems.items[i].line, problems.items[i].column,
                     problems.items[i].message);
    reader_deinit(&reader);
    report_deinit(&report);
    problems_deinit(&problems);
    free(copy);
    return text_take(&t);
}

struct example {
    const char *text;
    size_t len; /* 0: up to the NUL */
    const char *gives;
};

static void check(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct example *e = &examples[i];
        CLEANUP(freep)
        char *got = read_all(e->text, e->len ? e->len : strlen(e->text));

        if (strcmp(got, e->gives) != 0)
            fail_msg("example %zu: %s\ngave:\n%s\nexpected:\n%s", i, e->text, got, e->gives);
    }
}
#define CHECK(examples) check(examples, sizeof(examples) / sizeof *(examples))

static void good_lines_are_taken_as_they_are_meant(void **state)
{
    static const struct example examples[] = {
        {"", 0, ""},
        {"\n\n  \t\n", 0, ""},
        {"# a\n ; b\n#c \\\n", 0, ""},
        {"[a]\nk=v\n", 0, "1:1 [a]\n2:1 k=v at 2:3\n"},
        {"  [ a ]  \n\tk \t=  v w \t\n", 0, "1:3 [a]\n2:2 k=v w at 2:8\n"},
        {"k = a ; b # c\n", 0, "1:1 k=a ; b # c at 1:5\n"},
        {"k = a = b", 0, "1:1 k=a = b at 1:5\n"},
        {"k =\n", 0, "1:1 k= at 1:4\n"},
        {"[a]\r\nk = v\r\n", 0, "1:1 [a]\n2:1 k=v at 2:5\n"},
        {"\xef\xbb\xbfk = \xc3\xa4\n", 0, "1:1 k=\xc3\xa4 at 1:5\n"},
    };

    (void)state;
    CHECK(examples);
}

static void a_line_that_ends_in_a_backslash_goes_on(void **state)
{
    static const struct example examples[] = {
        {"k = a \\\n  b\nl = c\n", 0, "1:1 k=a   b at 1:5\n3:1 l=c at 3:5\n"},
        {"k = a\\\r\nb\r\n", 0, "1:1 k=ab at 1:5\n"},
        {"k = \\\n  v\n", 0, "1:1 k=v at 2:3\n"},
        {"\\\n\\\nk\\\n = v\n", 0, "3:1 k=v at 4:4\n"},
        {"k = a \\\n# no comment\n", 0, "1:1 k=a # no comment at 1:5\n"},
        {"# a comment never does \\\nk = v\n", 0, "2:1 k=v at 2:5\n"},
        {"k = a \\\n\\\n\\\n", 0, "3:1! the file ends in a \"\\\" that lets the line go on\n"},
        {"k = a\\", 0, "1:6! the file ends in a \"\\\" that lets the line go on\n"},
    };

    (void)state;
    CHECK(examples);
}

static void what_can_not_be_read_is_told_with_its_place_and_reading_goes_on(void **state)
{
    static const struct example examples[] = {
        {"k v\nl = w\n", 0,
         "2:1 l=w at 2:5\n"
         "1:1! expected \"key = value\"; there is no \"=\" in this line\n"},
        {"  = v\n", 0, "1:3! there is no key before the \"=\"\n"},
        {"[a\nk = v\n", 0,
         "1:1 [a]\n2:1 k=v at 2:5\n1:1! a section is written [name]; the \"]\" is missing\n"},
        {"[a] # b\n", 0,
         "1:1 [a]\n1:5! nothing may follow the \"]\" of a section; a comment needs a line of its "
         "own\n"},
        {"k = a\0b\nl = \xff\xfe\nm = \x1b[31m\n[a\x01]\nn = \xc2\x9b\no = 1\n",
         sizeof "k = a\0b\nl = \xff\xfe\nm = \x1b[31m\n[a\x01]\nn = \xc2\x9b\no = 1\n" - 1,
         "0:0 [?]\n6:1 o=1 at 6:5\n"
         "1:6! a NUL byte: this is not a text file\n"
         "2:5! byte 0xff: this is not UTF-8 text\n"
         "3:5! control character 0x1b: only tabs may stand here\n"
         "4:3! control character 0x01: only tabs may stand here\n"
         "5:5! control character 0x9b: only tabs may stand here\n"},
        {"k = a \\\n b \xc0\x80\n", 0, "2:4! byte 0xc0: this is not UTF-8 text\n"},
        {"k = \xed\xa0\x80\n", 0, "1:5! byte 0xed: this is not UTF-8 text\n"},
        {"k = \xe2\x82", 0, "1:5! byte 0xe2: this is not UTF-8 text\n"},
        {"k = a\rb\n", 0, "1:6! control character 0x0d: only tabs may stand here\n"},
    };

    (void)state;
    CHECK(examples);
}

/* n copies of piece. */
static char *many(const char *piece, size_t n, const char *end)
{
    struct text t = {0};

    while (n-- > 0)
        text_append(&t, piece);
    text_append(&t, end);
    return text_take(&t);
}

static void a_line_that_is_too_long_is_told_once_however_it_came_to_be(void **state)
{
    static const char *const pieces[] = {"x", "x\\\n"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        CLEANUP(freep)
        char *text = many(pieces[i], READER_LINE_MOST + 1, "\nk = v\n");
        CLEANUP(freep)
        char *got = read_all(text, strlen(text));

        assert_non_null(strstr(got, " k=v at "));
        assert_non_null(strstr(got, "1:1! the line is too long"));
        assert_null(strstr(strchr(got, '!') + 1, "!"));
    }
}

static void a_line_of_the_greatest_length_is_read(void **state)
{
    CLEANUP(freep)
    char *text = many("x", READER_LINE_MOST - 2, "=y\n");
    CLEANUP(freep)
    char *got = read_all(text, strlen(text));

    (void)state;
    assert_null(strchr(got, '!'));
    assert_non_null(strstr(got, "x=y at "));
}

static void rubbish_gives_a_bounded_number_of_errors(void **state)
{
    CLEANUP(freep)
    char *text = many("rubbish\n", 100000, "");
    CLEANUP(freep)
    char *got = read_all(text, strlen(text));
    size_t lines = 0;

    (void)state;
    for (const char *c = got; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, REPORT_MOST + 1);
    assert_non_null(strstr(got, "101:1! too many errors"));
}

static void quoted_text_is_short_and_harmless(void **state)
{
    CLEANUP(freep)
    char *umlauts = many("\xc3\xa4", 200, "");

    (void)state;
    assert_string_equal(QUOTED("a b"), "\"a b\"");
    assert_string_equal(QUOTED("\x1b[0m\x7f"), "\"\\x1b[0m\\x7f\"");
    for (size_t skip = 0; skip < 2; skip++) {
        CLEANUP(freep)
        char *shifted = many("x", skip, umlauts);
        const char *quoted = QUOTED(shifted);
        size_t len = strlen(quoted);

        assert_in_range(len, 60, QUOTE_SIZE - 1);
        assert_string_equal(quoted + len - 4, "...\"");
        assert_int_equal((unsigned char)quoted[len - 5], 0xa4); /* a whole character */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lines_are_taken_as_they_are_meant),
        cmocka_unit_test(a_line_that_ends_in_a_backslash_goes_on),
        cmocka_unit_test(what_can_not_be_read_is_told_with_its_place_and_reading_goes_on),
        cmocka_unit_test(a_line_that_is_too_long_is_told_once_however_it_came_to_be),
        cmocka_unit_test(a_line_of_the_greatest_length_is_read),
        cmocka_unit_test(rubbish_gives_a_bounded_number_of_errors),
        cmocka_unit_test(quoted_text_is_short_and_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
