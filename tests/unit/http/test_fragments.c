#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fragments.h"

static struct service_spec *specs[3];

static int make_specs(void **state)
{
    const char *const names[] = {"a", "b", "c"};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        if (!(specs[i] = spec_new(names[i])))
            return -1;
    return 0;
}

static int free_specs(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        spec_unref(specs[i]);
    return 0;
}

/* Walks over those services whose change is not 0; gives how many were written. */
static size_t walk(struct fragments *fragments, const uint64_t changed[3], pid_t pid)
{
    struct fragments_walk w;

    fragments_begin(fragments, &w);
    for (size_t i = 0; i < 3; i++) {
        const struct service_status status = {.spec = specs[i], .pid = pid};

        if (changed[i] > 0)
            fragments_visit(&w, &status, changed[i]);
    }
    assert_true(fragments_end(&w));
    return w.written;
}

static bool row_has(const struct fragments *fragments, size_t i, const char *part)
{
    const struct fragment *fragment = &fragments->items[i];

    return memmem(fragments->rows.data + fragment->begin, fragment->length, part, strlen(part));
}

static void only_what_has_changed_is_written_again(void **state)
{
    struct fragments f = {0};

    (void)state;
    assert_int_equal(walk(&f, (const uint64_t[]){1, 2, 3}, 10), 3);
    assert_int_equal(walk(&f, (const uint64_t[]){1, 2, 3}, 11), 0);
    assert_int_equal(walk(&f, (const uint64_t[]){1, 4, 3}, 12), 1);
    assert_int_equal(f.count, 3);
    assert_true(row_has(&f, 0, "\"pid\":10"));
    assert_true(row_has(&f, 1, "\"pid\":12"));
    assert_true(row_has(&f, 2, "\"pid\":10"));
    fragments_deinit(&f);
}

static void what_is_gone_is_dropped_and_what_is_new_takes_its_place(void **state)
{
    struct fragments f = {0};

    (void)state;
    assert_int_equal(walk(&f, (const uint64_t[]){0, 2, 0}, 10), 1);
    assert_int_equal(walk(&f, (const uint64_t[]){3, 2, 4}, 11), 2);
    assert_int_equal(f.count, 3);
    assert_string_equal(f.items[0].spec->name, "a");
    assert_string_equal(f.items[1].spec->name, "b");
    assert_string_equal(f.items[2].spec->name, "c");
    assert_true(row_has(&f, 1, "\"pid\":10"));
    assert_int_equal(walk(&f, (const uint64_t[]){0, 0, 4}, 12), 0);
    assert_int_equal(f.count, 1);
    assert_string_equal(f.items[0].spec->name, "c");
    assert_int_equal(walk(&f, (const uint64_t[]){0, 0, 0}, 13), 0);
    assert_int_equal(f.count, 0);
    fragments_deinit(&f);
}

static void a_service_that_came_back_is_written_anew(void **state)
{
    struct fragments f = {0};

    (void)state;
    walk(&f, (const uint64_t[]){1, 2, 3}, 10);
    walk(&f, (const uint64_t[]){1, 0, 3}, 10);
    assert_int_equal(walk(&f, (const uint64_t[]){1, 5, 3}, 11), 1);
    assert_true(row_has(&f, 1, "\"pid\":11"));
    fragments_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_has_changed_is_written_again),
        cmocka_unit_test(what_is_gone_is_dropped_and_what_is_new_takes_its_place),
        cmocka_unit_test(a_service_that_came_back_is_written_anew),
    };

    return cmocka_run_group_tests(tests, make_specs, free_specs);
}
