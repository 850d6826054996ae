/* tails - asking for the last lines.
 * Threads: each test's. Ownership: assert_answer() frees what the answer holds. */
#pragma once

#include "logs/fixture.h"

struct answer {
    struct gate gate;
    struct string_list lines;
};

FIXTURE void take_lines(void *context, const struct string_list *lines)
{
    struct answer *a = context;

    for (size_t i = 0; i < lines->count; i++)
        assert_int_equal(string_list_add(&a->lines, lines->items[i]), 0);
    gate_open(&a->gate);
}

FIXTURE void ask_of(struct log *log, struct answer *a, int64_t since, size_t count)
{
    *a = (struct answer){0};
    gate_init(&a->gate);
    assert_int_equal(log_tail(log, since, count, take_lines, a), 0);
}

/* expected: lines joined by '|'. */
FIXTURE void assert_answer(struct answer *a, const char *expected)
{
    struct text got = {0};

    gate_pass(&a->gate);
    text_append(&got, "");
    for (size_t i = 0; i < a->lines.count; i++)
        text_appendf(&got, "%s%s", i > 0 ? "|" : "", a->lines.items[i]);
    assert_string_equal(got.data, expected);
    text_deinit(&got);
    string_list_clear(&a->lines);
    gate_deinit(&a->gate);
}

FIXTURE void assert_tail_of(struct log *log, int64_t since, size_t count, const char *expected)
{
    struct answer a;

    ask_of(log, &a, since, count);
    assert_answer(&a, expected);
}
