#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOST 6

static void check_words(const char *text, const struct string_list *words,
                        const char *const expected[MOST])
{
    size_t count = 0;

    while (count < MOST && expected[count])
        count++;
    if (words->count != count)
        fail_msg("%s: %zu words", text, words->count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(words->items[i], expected[i]);
    assert_null(words->items[count]);
}

static void words_are_split_as_a_shell_splits_them(void **state)
{
    static const struct {
        const char *text, *words[MOST];
    } examples[] = {
        {"a", {"a"}},
        {"  a\tb  c ", {"a", "b", "c"}},
        {"a 'b c' \"d e\"", {"a", "b c", "d e"}},
        {"a 'b'\"c\"d", {"a", "bcd"}},
        {"a '' \"\"", {"a", "", ""}},
        {"a\\ b \\' \\\" \\\\ \\$", {"a b", "'", "\"", "\\", "$"}},
        {"a '\\' '$;|*'", {"a", "\\", "$;|*"}},
        {"a \"\\\"\\\\\\$\\`\\n\" \"$x;\"", {"a", "\"\\$`\\n", "$x;"}},
        {"a # b", {"a", "#", "b"}},
        {"a \\\n b\\\nc \"d\\\ne\"", {"a", "bc", "de"}},
        {"sh -c 'a; b && c'", {"sh", "-c", "a; b && c"}},
        {"a=b ~ [c] {d} !", {"a=b", "~", "[c]", "{d}", "!"}},
        {"\xc3\xa4 '\xc3\xb6'", {"\xc3\xa4", "\xc3\xb6"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        CLEANUP(string_list_clear)
        struct string_list words = {0};
        struct error err;
        size_t at;

        if (command_split(examples[i].text, &words, &at, &err) < 0)
            fail_msg("%s: %s", examples[i].text, err.text);
        check_words(examples[i].text, &words, examples[i].words);
    }
}

static void what_needs_a_shell_or_never_ends_is_refused_at_its_place(void **state)
{
    static const struct {
        const char *text;
        size_t at;
        const char *says;
    } examples[] = {
        {"", 0, "there is nothing"},
        {" \t ", 0, "there is nothing"},
        {"''", 0, "the program's name is empty"},
        {"a $b", 2, "no shell runs here; write sh -c '...', or quote the $"},
        {"a | b", 2, "quote the |"},
        {"a >b", 2, "quote the >"},
        {"a <b", 2, "quote the <"},
        {"a &", 2, "quote the &"},
        {"a; b", 1, "quote the ;"},
        {"ls *", 3, "quote the *"},
        {"ls a?", 4, "quote the ?"},
        {"(a)", 0, "quote the ("},
        {"a )", 2, "quote the )"},
        {"a `b`", 2, "quote the `"},
        {"a 'b' 'c d", 6, "the quote that opens here is never closed"},
        {"a \"b 'c'", 2, "the quote that opens here is never closed"},
        {"a \"b\\", 2, "the quote that opens here is never closed"},
        {"a b\\", 3, "nothing follows the backslash"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct string_list words = {0};
        struct error err;
        size_t at = SIZE_MAX;

        assert_int_equal(command_split(examples[i].text, &words, &at, &err), -EINVAL);
        assert_null(words.items);
        if (at != examples[i].at || !strstr(err.text, examples[i].says))
            fail_msg("%s: at %zu: %s", examples[i].text, at, err.text);
    }
}

static void in_an_environment_only_what_would_be_expanded_is_refused(void **state)
{
    CLEANUP(string_list_clear)
    struct string_list words = {0};
    struct string_list none = {0};
    struct error err;
    size_t at;

    (void)state;
    assert_int_equal(
        words_split("U=http://h/?a=1&b=2;* V='$x'", &environment_rules, &words, &at, &err), 0);
    assert_int_equal(words.count, 2);
    assert_string_equal(words.items[0], "U=http://h/?a=1&b=2;*");
    assert_string_equal(words.items[1], "V=$x");
    assert_int_equal(words_split("A=$HOME", &environment_rules, &none, &at, &err), -EINVAL);
    assert_int_equal(at, 2);
    assert_null(strstr(err.text, "sh -c"));
}

/* A part of every command that can be made of these bytes, the short ones all. */
static void no_sequence_of_signs_harms_the_splitter(void **state)
{
    static const char signs[] = "a '\"\\\n$";
    const size_t n = sizeof signs - 1;
    size_t good = 0, total = 1;

    (void)state;
    for (size_t len = 1; len <= 5; len++) {
        total *= n;
        for (size_t number = 0; number < total; number++) {
            CLEANUP(string_list_clear)
            struct string_list words = {0};
            char text[8] = "";
            struct error err;
            size_t at = 0, rest = number;

            for (size_t i = 0; i < len; i++, rest /= n)
                text[i] = signs[rest % n];
            if (command_split(text, &words, &at, &err) == 0)
                good++;
            assert_in_range(at, 0, len);
        }
    }
    assert_true(good > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_split_as_a_shell_splits_them),
        cmocka_unit_test(what_needs_a_shell_or_never_ends_is_refused_at_its_place),
        cmocka_unit_test(in_an_environment_only_what_would_be_expanded_is_refused),
        cmocka_unit_test(no_sequence_of_signs_harms_the_splitter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
