/* Command splitting: what is split, joined with quotes and split again is the same words, by either
 * of the two rules; what is refused is refused at a byte of the text. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "command.h"
#include "quoted.h"

#include <errno.h>
#include <string.h>

static void check_joined(const struct string_list *words, const struct word_rules *rules)
{
    CLEANUP(string_list_clear) struct string_list again = {0};
    CLEANUP(text_deinit) struct text joined = {0};
    struct error err = {0};
    size_t at;

    quoted_list(&joined, words);
    CHECK(words_split(joined.data ? joined.data : "", rules, &again, &at, &err) == 0, "%s: %s",
          joined.data, err.text);
    CHECK(words->count == again.count, "%zu words became %zu", words->count, again.count);
    for (size_t i = 0; i < words->count; i++)
        CHECK(strcmp(words->items[i], again.items[i]) == 0, "\"%s\" became \"%s\"", words->items[i],
              again.items[i]);
}

static void check_split(const char *text, const struct word_rules *rules)
{
    CLEANUP(string_list_clear) struct string_list words = {0};
    size_t at = SIZE_MAX;
    struct error err = {0};
    int result = words_split(text, rules, &words, &at, &err);

    if (result == 0) {
        check_joined(&words, rules);
        return;
    }
    CHECK(result == -EINVAL && err.code == result && err.text[0], "%d", result);
    CHECK(at < strlen(text), "refused at byte %zu of %zu", at, strlen(text));
}

static void check_command(const char *text)
{
    CLEANUP(string_list_clear) struct string_list words = {0};
    size_t at = SIZE_MAX;
    struct error err = {0};

    if (command_split(text, &words, &at, &err) == 0)
        CHECK(words.count > 0 && words.items[0][0] && !words.items[words.count], "no program");
    else
        CHECK(at <= strlen(text), "refused at byte %zu of %zu", at, strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = input_of(data, size);
    CLEANUP(freep) char *text = input_rest(&input, &size);

    check_split(text, &command_rules);
    check_split(text, &environment_rules);
    check_command(text);
    return 0;
}
