/* Lines on their way to the console: whole, named, and no more than there is room for. */
#include "logs/fixture.h"

#include "outbox.h"

static const struct outbox_prefix prefix = {.text = "web | ", .size = 6};
static struct outbox box;
static struct text sent;

static int set_up(void **state)
{
    (void)state;
    box = (struct outbox){0};
    sent = (struct text){0};
    text_append(&sent, "");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    outbox_deinit(&box);
    text_deinit(&sent);
    return 0;
}

static size_t add(const char *s)
{
    assert_int_equal(outbox_fits(&box, &prefix, s, strlen(s)), strlen(s));
    return outbox_add(&box, &prefix, s, strlen(s));
}

/* All that may go, in pieces of at most max. */
static void take_all(size_t max)
{
    const char *data;

    while (outbox_waiting(&box) > 0) {
        size_t size = outbox_next(&box, max, &data);

        assert_in_range(size, 1, max);
        text_append_n(&sent, data, size);
        outbox_gone(&box, size);
    }
}

static void a_line_goes_only_when_it_has_its_end(void **state)
{
    (void)state;
    assert_int_equal(add("one\ntw"), 6);
    take_all(100);
    assert_string_equal(sent.data, "web | one\n");
    assert_int_equal(add("o\n\nthree"), 8);
    take_all(100);
    assert_string_equal(sent.data, "web | one\nweb | two\nweb | \n");
    outbox_end_line(&box);
    take_all(100);
    assert_string_equal(sent.data, "web | one\nweb | two\nweb | \nweb | three\n");
}

static void pieces_end_with_a_line_where_one_fits(void **state)
{
    const char *data;

    (void)state;
    add("one\ntwo\na much longer line\n");
    assert_int_equal(outbox_next(&box, 25, &data), 20);
    outbox_gone(&box, 20);
    assert_int_equal(outbox_next(&box, 20, &data), 20);
    outbox_gone(&box, 20);
    assert_int_equal(outbox_next(&box, 20, &data), 5);
}

static void what_comes_meanwhile_waits_for_the_next_turn(void **state)
{
    const char *data;

    (void)state;
    add("one\n");
    assert_int_equal(outbox_next(&box, 4, &data), 4);
    add("two\n");
    outbox_gone(&box, 4);
    assert_int_equal(outbox_next(&box, 100, &data), 6);
    outbox_gone(&box, 6);
    assert_int_equal(box.turn, 0);
    assert_int_equal(outbox_waiting(&box), 10);
}

static void a_long_line_is_shown_as_several(void **state)
{
    char *line = malloc(3 * OUTBOX_LINE_MAX + 1);
    size_t lines = 0;

    (void)state;
    assert_non_null(line);
    memset(line, 'x', 3 * OUTBOX_LINE_MAX);
    line[3 * OUTBOX_LINE_MAX - 1] = '\n';
    line[3 * OUTBOX_LINE_MAX] = '\0';
    add(line);
    take_all(4096);
    for (size_t i = 0; i < sent.len; i++)
        lines += sent.data[i] == '\n';
    assert_int_equal(lines, 3);
    assert_int_equal(sent.len, 3 * (OUTBOX_LINE_MAX + 6) + 2);
    free(line);
}

static void no_more_is_taken_than_there_is_room_for(void **state)
{
    size_t taken = 0, n;

    (void)state;
    do {
        size_t fits = outbox_fits(&box, &prefix, "some words\n", 11);

        n = outbox_add(&box, &prefix, "some words\n", 11);
        assert_int_equal(n, fits);
        taken += n;
    } while (n == 11);
    assert_true(taken > OUTBOX_SIZE / 2 && box.len <= OUTBOX_SIZE);
    assert_false(outbox_roomy(&box));
    assert_int_equal(outbox_add(&box, &prefix, "x", 1), 0);
    assert_false(outbox_add_line(&box, &prefix, "no"));
    take_all(4096);
    assert_true(outbox_roomy(&box));
    assert_int_equal(outbox_add(&box, &prefix, "x", 1), 1);
}

/* Every length that just fits or just does not. */
static void the_edge_of_the_room_is_never_passed(void **state)
{
    char line[200];

    (void)state;
    memset(line, 'y', sizeof line);
    for (size_t size = 1; size < sizeof line; size++) {
        outbox_deinit(&box);
        line[size - 1] = '\n';
        while (outbox_add(&box, &prefix, line, size) == size)
            continue;
        while (outbox_add(&box, &prefix, "\n", 1) == 1)
            continue;
        outbox_end_line(&box);
        assert_true(box.len <= OUTBOX_SIZE && box.whole == box.len);
        assert_int_equal(outbox_add(&box, &prefix, "\n", 1), 0);
        line[size - 1] = 'y';
    }
}

static void a_line_of_our_own_ends_the_one_that_is_open(void **state)
{
    (void)state;
    add("begun");
    assert_true(outbox_add_line(&box, &prefix, "[note]"));
    add("next\n");
    take_all(100);
    assert_string_equal(sent.data, "web | begun\nweb | [note]\nweb | next\n");
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_line_goes_only_when_it_has_its_end),
        test(pieces_end_with_a_line_where_one_fits),
        test(what_comes_meanwhile_waits_for_the_next_turn),
        test(a_long_line_is_shown_as_several),
        test(no_more_is_taken_than_there_is_room_for),
        test(the_edge_of_the_room_is_never_passed),
        test(a_line_of_our_own_ends_the_one_that_is_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
