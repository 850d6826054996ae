/* quoted - words written so that splitting them gives the same words again.
 * Threads: any. Ownership: the text's. */
#pragma once

#include "base/text.h"
#include "model/service_spec.h"

static inline void quoted_word(struct text *t, const char *word)
{
    text_append(t, "'");
    for (; *word; word++) {
        if (*word == '\'')
            text_append(t, "'\\''");
        else
            text_append_n(t, word, 1);
    }
    text_append(t, "'");
}

static inline void quoted_list(struct text *t, const struct string_list *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (i > 0)
            text_append(t, " ");
        quoted_word(t, words->items[i]);
    }
}
