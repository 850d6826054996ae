#include "command.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

const struct word_rules command_rules = {"$|><&;*?()`",
                                         "no shell runs here; write sh -c '...', or quote the "};
const struct word_rules environment_rules = {"$`",
                                             "no shell runs here, nothing is expanded; quote the "};

struct splitter {
    const char *text;
    const struct word_rules *rules;
    size_t at; /* of the next byte; once something is wrong, of that */
    struct text word;
    struct error *err;
};

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int refuse(struct splitter *s, size_t at, const char *message)
{
    s->at = at;
    return error_set(s->err, -EINVAL, "%s", message);
}

/* An escaped newline is nothing; before a quoted byte that needs no escape a backslash is itself.
 */
static int take_escape(struct splitter *s, const char *escapable)
{
    char c = s->text[s->at + 1];

    if (c == '\0')
        return refuse(s, s->at, "nothing follows the backslash");
    if (escapable && !strchr(escapable, c))
        text_append_n(&s->word, "\\", 1);
    if (c != '\n')
        text_append_n(&s->word, &c, 1);
    s->at += 2;
    return 0;
}

static int take_single_quoted(struct splitter *s)
{
    const char *open = s->text + s->at, *close = strchr(open + 1, '\'');

    if (!close)
        return refuse(s, s->at, "the quote that opens here is never closed");
    text_append_n(&s->word, open + 1, (size_t)(close - open) - 1);
    s->at += (size_t)(close - open) + 1;
    return 0;
}

static int take_double_quoted(struct splitter *s)
{
    size_t open = s->at++;
    int r;

    while (s->text[s->at] != '"') {
        if (s->text[s->at] == '\0' || (s->text[s->at] == '\\' && s->text[s->at + 1] == '\0'))
            return refuse(s, open, "the quote that opens here is never closed");
        if (s->text[s->at] == '\\') {
            r = take_escape(s, "\"\\$`\n");
            if (r < 0)
                return r;
        } else {
            text_append_n(&s->word, s->text + s->at++, 1);
        }
    }
    s->at++;
    return 0;
}

static int take_piece(struct splitter *s)
{
    char c = s->text[s->at];

    if (c == '\'')
        return take_single_quoted(s);
    if (c == '"')
        return take_double_quoted(s);
    if (c == '\\')
        return take_escape(s, NULL);
    if (strchr(s->rules->signs, c))
        return error_set(s->err, -EINVAL, "%s%c", s->rules->advice, c);
    text_append_n(&s->word, &c, 1);
    s->at++;
    return 0;
}

static int take_word(struct splitter *s, struct string_list *words)
{
    int r = 0;

    text_clear(&s->word);
    while (r == 0 && s->text[s->at] && !blank(s->text[s->at]))
        r = take_piece(s);
    if (r == 0 && s->word.failed)
        r = -ENOMEM;
    if (r == 0)
        r = string_list_add(words, s->word.data ? s->word.data : "");
    return r == -ENOMEM ? error_set(s->err, r, "%m") : r;
}

/* Passes blanks and escaped newlines, which end no word but make none either. */
static bool skip_to_word(struct splitter *s)
{
    for (;;) {
        if (blank(s->text[s->at]))
            s->at++;
        else if (s->text[s->at] == '\\' && s->text[s->at + 1] == '\n')
            s->at += 2;
        else
            return s->text[s->at] != '\0';
    }
}

int words_split(const char *text, const struct word_rules *rules, struct string_list *ret_words,
                size_t *ret_at, struct error *err)
{
    struct splitter s = {.text = text, .rules = rules, .err = err};
    CLEANUP(string_list_clear) struct string_list words = {0};
    int r = 0;

    while (r == 0 && skip_to_word(&s))
        r = take_word(&s, &words);
    text_deinit(&s.word);
    if (r < 0) {
        *ret_at = s.at;
        return r;
    }
    *ret_words = words;
    words = (struct string_list){0};
    return 0;
}

int command_split(const char *text, struct string_list *ret_words, size_t *ret_at,
                  struct error *err)
{
    CLEANUP(string_list_clear) struct string_list words = {0};
    int r = words_split(text, &command_rules, &words, ret_at, err);

    if (r < 0)
        return r;
    if (words.count == 0 || words.items[0][0] == '\0') {
        *ret_at = 0;
        return error_set(err, -EINVAL, "expected a program and its arguments; %s",
                         words.count == 0 ? "there is nothing" : "the program's name is empty");
    }
    *ret_words = words;
    words = (struct string_list){0};
    return 0;
}
