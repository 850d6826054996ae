/* command - words as a shell would split them, run without one: quotes, backslashes, and nothing
 * else. What would need a shell is refused, not passed on.
 * Threads: any. Ownership: the words are the caller's, to string_list_clear(). */
#pragma once

#include "base/error.h"
#include "model/service_spec.h"

/* What means something to a shell outside of quotes, and is refused. */
struct word_rules {
    const char *signs;
    const char *advice; /* the sign follows it */
};
extern const struct word_rules command_rules, environment_rules;

/* 0, or -EINVAL (*ret_at: the byte that is wrong) or -ENOMEM, with *ret_words left alone. */
int words_split(const char *text, const struct word_rules *rules, struct string_list *ret_words,
                size_t *ret_at, struct error *err);
/* The same, for a command: there must be a program. */
int command_split(const char *text, struct string_list *ret_words, size_t *ret_at,
                  struct error *err);
