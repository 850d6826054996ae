/* Files end with a line, and as many as asked for are kept. */
#include "logs/fixture.h"

static struct place place;

static int set_up(void **state)
{
    (void)state;
    place_open(&place);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    place_close(&place);
    return 0;
}

static void capture_all(const char *data, size_t size, int64_t max_size, int64_t max_files)
{
    struct logs *logs = start(&place);
    int fd = open_output(log_fifo(open_log(logs, "web", max_size, max_files), STREAM_STDOUT));

    put(fd, data, size);
    logs_stop(logs);
    close(fd);
}

static void capture_text(const char *s, int64_t max_size, int64_t max_files)
{
    capture_all(s, strlen(s), max_size, max_files);
}

/* Lines of any length up to longest. */
static void make_lines(struct text *t, int count, unsigned longest)
{
    unsigned seed = 7;

    for (int i = 0; i < count; i++) {
        unsigned length = (unsigned)rand_r(&seed) % longest;

        text_appendf(
            t, "%d %.*s\n", i, (int)length,
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx");
    }
}

static void a_line_is_never_split_and_no_file_passes_its_size(void **state)
{
    struct text written = {0}, got = {0};
    char file[32];

    (void)state;
    make_lines(&written, 5000, 150);
    capture_all(written.data, written.len, 1000, 3);
    for (int i = 3; i >= 0; i--) {
        size_t before = got.len;

        snprintf(file, sizeof file, i > 0 ? "web.log.%d" : "web.log", i);
        read_one(&place, file, &got);
        assert_true(got.len - before <= 1000);
        assert_true(i == 0 || got.len - before > 1000 - 200); /* as full as lines allow */
        assert_int_equal(got.data[got.len - 1], '\n');
    }
    assert_false(exists(&place, "web.log.4"));
    assert_false(exists(&place, "web.log.new"));
    assert_memory_equal(got.data, written.data + written.len - got.len, got.len);
    text_deinit(&written);
    text_deinit(&got);
}

static void nothing_is_lost_where_all_files_are_kept(void **state)
{
    struct text written = {0}, got = {0};

    (void)state;
    make_lines(&written, 3000, 150);
    capture_all(written.data, written.len, 2000, 1000);
    read_kept(&place, "web", &got);
    assert_int_equal(got.len, written.len);
    assert_memory_equal(got.data, written.data, written.len);
    text_deinit(&written);
    text_deinit(&got);
}

static void a_line_longer_than_the_fifo_goes_on_in_its_file(void **state)
{
    enum { SIZE = 300000 };
    char *line = malloc(SIZE + 1);
    struct text written = {0}, got = {0};

    (void)state;
    assert_non_null(line);
    memset(line, 'x', SIZE);
    line[SIZE] = '\n';
    text_append(&written, "short\n");
    text_append_n(&written, line, SIZE + 1);
    text_append(&written, "after\n");
    capture_all(written.data, written.len, 1000, 9);
    assert_kept(&place, "web.log.2", "short\n");
    read_one(&place, "web.log.1", &got);
    assert_int_equal(got.len, SIZE + 1);
    assert_memory_equal(got.data, line, SIZE + 1);
    assert_kept(&place, "web.log", "after\n");
    free(line);
    text_deinit(&written);
    text_deinit(&got);
}

static void a_line_that_has_begun_before_the_limit_is_finished_by_the_next_daemon(void **state)
{
    (void)state;
    capture_text("one\nbegun", 10, 5);
    capture_text(" and done\nnext\n", 10, 5);
    assert_kept(&place, "web.log.1", "one\nbegun and done\n");
    assert_kept(&place, "web.log", "next\n");
}

static void a_full_file_is_closed_only_when_more_is_written(void **state)
{
    (void)state;
    capture_text("123456789\n", 10, 5);
    assert_false(exists(&place, "web.log.1"));
    capture_text("a\n", 10, 5);
    assert_kept(&place, "web.log.1", "123456789\n");
    assert_kept(&place, "web.log", "a\n");
}

static void without_a_size_nothing_is_rotated(void **state)
{
    struct text written = {0}, got = {0};

    (void)state;
    make_lines(&written, 20000, 150);
    capture_all(written.data, written.len, 0, 5);
    read_one(&place, "web.log", &got);
    assert_int_equal(got.len, written.len);
    assert_false(exists(&place, "web.log.1"));
    text_deinit(&written);
    text_deinit(&got);
}

static void without_old_files_the_new_one_takes_the_place(void **state)
{
    (void)state;
    capture_text("one\ntwo\nthree\n", 8, 0);
    assert_kept(&place, "web.log", "three\n");
    assert_false(exists(&place, "web.log.1"));
}

static void a_gap_of_a_rotation_cut_short_is_filled_and_nothing_lost(void **state)
{
    struct text got = {0};

    (void)state;
    capture_text("five\n", 8, 5);
    write_one(&place, "web.log.1", "four\n");
    write_one(&place, "web.log.3", "two\n"); /* 2 has become 3, and 1 not yet 2 */
    write_one(&place, "web.log.4", "one\n");
    read_kept(&place, "web", &got);
    assert_string_equal(got.data, "one\ntwo\nfour\nfive\n");
    capture_text("six\n", 8, 5);
    assert_kept(&place, "web.log.4", "one\n");
    assert_kept(&place, "web.log.3", "two\n");
    assert_kept(&place, "web.log.2", "four\n");
    assert_kept(&place, "web.log.1", "five\n");
    assert_kept(&place, "web.log", "six\n");
    text_deinit(&got);
}

static void a_lower_limit_removes_the_oldest(void **state)
{
    (void)state;
    capture_text("1\n2\n3\n4\n5\n6\n", 2, 5);
    assert_kept(&place, "web.log.5", "1\n");
    capture_text("7\n", 2, 2);
    assert_kept(&place, "web.log", "7\n");
    assert_kept(&place, "web.log.1", "6\n");
    assert_kept(&place, "web.log.2", "5\n");
    assert_false(exists(&place, "web.log.3"));
    assert_false(exists(&place, "web.log.5"));
}

/* A folder in the way of the new file: what can't be rotated is still kept, and it is told. */
static void a_rotation_that_fails_loses_nothing(void **state)
{
    struct logs *logs = start(&place);
    struct log *log = open_log(logs, "web", 8, 5);
    struct log_reader *reader = open_reader(logs, "web", SIZE_MAX);
    int fd = open_output(log_fifo(log, STREAM_STDOUT));
    struct log_trouble trouble;
    struct text got = {0};
    char path[160];

    (void)state;
    snprintf(path, sizeof path, "%s/web.log.new", place.kept);
    assert_int_equal(mkdir(path, 0755), 0);
    put_text(fd, "one\ntwo\nthree\n");
    follow(reader, &got, 14);
    assert_kept(&place, "web.log", "one\ntwo\nthree\n");
    log_trouble(log, &trouble);
    assert_int_equal(trouble.rotate_error, -EISDIR);
    text_deinit(&got);
    log_reader_close(reader);
    close(fd);
    logs_stop(logs);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_line_is_never_split_and_no_file_passes_its_size),
        test(nothing_is_lost_where_all_files_are_kept),
        test(a_line_longer_than_the_fifo_goes_on_in_its_file),
        test(a_line_that_has_begun_before_the_limit_is_finished_by_the_next_daemon),
        test(a_full_file_is_closed_only_when_more_is_written),
        test(without_a_size_nothing_is_rotated),
        test(without_old_files_the_new_one_takes_the_place),
        test(a_gap_of_a_rotation_cut_short_is_filled_and_nothing_lost),
        test(a_lower_limit_removes_the_oldest),
        test(a_rotation_that_fails_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
