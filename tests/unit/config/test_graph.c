#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "graph.h"

#include <stdlib.h>
#include <string.h>

#define MOST 2000

/* Services made in memory: no files. */
struct set {
    struct service_file *files[MOST];
    size_t count;
    struct problems problems;
};

static struct service_file *add(struct set *s, const char *name, const char *requires)
{
    struct service_file *file = calloc(1, sizeof *file);

    assert_non_null(file);
    file->name = strdup(name);
    file->path = strdup(name);
    file->spec = spec_new(name);
    file->report = (struct report){.problems = &s->problems, .file = file->path};
    for (int kind = 0; kind < DEPENDENCY_KINDS; kind++)
        file->dependencies[kind] = (struct place){kind + 3, 9};
    assert_non_null(file->spec);
    if (requires)
        assert_int_equal(string_list_add(&file->spec->requires, requires), 0);
    s->files[s->count++] = file;
    return file;
}

static void check(struct set *s)
{
    assert_int_equal(graph_check(s->files, s->count), 0);
}

static void clear(struct set *s)
{
    for (size_t i = 0; i < s->count; i++)
        service_file_free(s->files[i]);
    problems_deinit(&s->problems);
}

static void expect(const struct set *s, size_t i, const char *name, int line, const char *message)
{
    assert_true(i < s->problems.count);
    assert_string_equal(s->problems.items[i].file, name);
    assert_int_equal(s->problems.items[i].line, line);
    assert_string_equal(s->problems.items[i].message, message);
}

static void a_graph_without_circles_has_nothing_wrong(void **state)
{
    struct set s = {0};

    (void)state;
    check(&s);
    add(&s, "a", "b");
    add(&s, "b", "d");
    add(&s, "c", "d");
    string_list_add(&add(&s, "d", NULL)->spec->after, "e");
    add(&s, "e", NULL);
    string_list_add(&s.files[0]->spec->wants, "c");
    string_list_add(&s.files[0]->spec->after, "b");
    check(&s);
    assert_int_equal(s.problems.count, 0);
    clear(&s);
}

static void an_unknown_name_is_answered_with_the_nearest(void **state)
{
    struct set s = {0};

    (void)state;
    add(&s, "backend", NULL);
    add(&s, "web", "backendd");
    string_list_add(&s.files[1]->spec->wants, "zzzzzz");
    check(&s);
    assert_int_equal(s.problems.count, 2);
    expect(&s, 0, "web", 3, "there is no service \"backendd\"; did you mean \"backend\"?");
    expect(&s, 1, "web", 4, "there is no service \"zzzzzz\"");
    assert_int_equal(s.files[0]->report.errors, 0);
    clear(&s);
}

static void a_file_that_can_be_no_service_is_not_what_was_meant(void **state)
{
    struct set s = {0};

    (void)state;
    add(&s, "backend\n", NULL);
    add(&s, "web", "backend");
    check(&s);
    assert_int_equal(s.problems.count, 1);
    expect(&s, 0, "web", 3, "there is no service \"backend\"");
    clear(&s);
}

static void a_service_can_not_need_itself(void **state)
{
    struct set s = {0};

    (void)state;
    add(&s, "a", "a");
    check(&s);
    assert_int_equal(s.problems.count, 1);
    expect(&s, 0, "a", 3, "\"a\" names itself");
    clear(&s);
}

static void one_whose_own_file_is_refused_is_not_unknown(void **state)
{
    struct set s = {0};

    (void)state;
    spec_unref(add(&s, "broken", NULL)->spec);
    s.files[0]->spec = NULL;
    s.files[0]->report.errors = 1;
    add(&s, "web", "broken");
    check(&s);
    assert_int_equal(s.problems.count, 0);
    clear(&s);
}

static void a_cycle_is_shown_to_each_member_and_to_nobody_else(void **state)
{
    struct set s = {0};

    (void)state;
    add(&s, "a", "b");
    string_list_add(&add(&s, "b", NULL)->spec->after, "c");
    string_list_add(&add(&s, "c", NULL)->spec->wants, "a");
    string_list_add(&s.files[2]->spec->requires, "led-to");
    add(&s, "leads-in", "a");
    add(&s, "led-to", NULL);
    check(&s);
    assert_int_equal(s.problems.count, 3);
    expect(&s, 0, "a", 3, "these wait for each other in a circle: a -> b -> c -> a");
    expect(&s, 1, "c", 4, "these wait for each other in a circle: c -> a -> b -> c");
    expect(&s, 2, "b", 5, "these wait for each other in a circle: b -> c -> a -> b");
    clear(&s);
}

static void two_cycles_that_share_a_service_are_both_shown(void **state)
{
    struct set s = {0};

    (void)state;
    add(&s, "a", "b");
    add(&s, "b", "a");
    string_list_add(&s.files[1]->spec->requires, "c");
    add(&s, "c", "b");
    check(&s);
    assert_int_equal(s.problems.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(s.files[i]->report.errors, 1);
    clear(&s);
}

static void a_chain_and_a_ring_of_thousands_are_walked_without_recursion(void **state)
{
    struct set s = {0};
    char name[16], next[16];

    (void)state;
    for (size_t i = 0; i < MOST; i++) {
        snprintf(name, sizeof name, "s%05zu", i);
        snprintf(next, sizeof next, "s%05zu", i + 1);
        add(&s, name, i + 1 < MOST ? next : NULL);
    }
    check(&s);
    assert_int_equal(s.problems.count, 0);
    assert_int_equal(string_list_add(&s.files[MOST - 1]->spec->after, "s00000"), 0);
    check(&s);
    assert_int_equal(s.problems.count, MOST);
    assert_non_null(strstr(s.problems.items[0].message, "... (1988 more) -> s00000"));
    clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_graph_without_circles_has_nothing_wrong),
        cmocka_unit_test(an_unknown_name_is_answered_with_the_nearest),
        cmocka_unit_test(a_file_that_can_be_no_service_is_not_what_was_meant),
        cmocka_unit_test(a_service_can_not_need_itself),
        cmocka_unit_test(one_whose_own_file_is_refused_is_not_unknown),
        cmocka_unit_test(a_cycle_is_shown_to_each_member_and_to_nobody_else),
        cmocka_unit_test(two_cycles_that_share_a_service_are_both_shown),
        cmocka_unit_test(a_chain_and_a_ring_of_thousands_are_walked_without_recursion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
