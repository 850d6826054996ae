#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES 200

static char path[] = "/tmp/orderly-log-XXXXXX";

static int open_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    return log_open(LOG_TARGET_FILE, LOG_LEVEL_INFO, path, NULL);
}

static int remove_file(void **state)
{
    (void)state;
    log_close();
    return unlink(path);
}

/* How many lines there are; each has what is expected of the one with its number. */
static int count_lines(bool (*expected)(const char *line, int number))
{
    char line[4096];
    int count = 0;
    FILE *f = fopen(path, "re");

    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        assert_true(expected(line, count++));
    fclose(f);
    assert_int_equal(truncate(path, 0), 0);
    return count;
}

static bool is_numbered(const char *line, int number)
{
    char end[64];

    snprintf(end, sizeof end, "Z info    line %d of service web\n", number);
    return strlen(line) == 26 + strlen(end) && strcmp(line + 26, end) == 0;
}

static void lines_that_are_gathered_are_written_in_order_and_none_is_cut(void **state)
{
    struct log_lines lines;

    (void)state;
    lines.len = 0;
    for (int i = 0; i < LINES; i++)
        log_gather(&lines, LOG_LEVEL_INFO, "line %d of service %s", i, "web");
    log_gather(&lines, LOG_LEVEL_DEBUG, "nobody wants to know");
    log_written(&lines);
    log_written(&lines);
    assert_int_equal(count_lines(is_numbered), LINES);
}

static bool is_cut(const char *line, int number)
{
    (void)number;
    return strlen(line) > 2000 && line[strlen(line) - 1] == '\n' && strchr(line, 'x');
}

static void what_is_too_long_is_cut_and_still_ends_its_line(void **state)
{
    struct log_lines lines;
    char text[3001];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    lines.len = 0;
    for (int i = 0; i < 5; i++)
        log_gather(&lines, LOG_LEVEL_WARNING, "%s", text);
    log_written(&lines);
    log_error("%s", text);
    assert_int_equal(count_lines(is_cut), 6);
}

static bool is_one_line(const char *line, int number)
{
    return number == 0 && strcmp(line + 27, " error   a [31m b c\n") == 0;
}

static void nothing_from_outside_can_forge_a_line(void **state)
{
    (void)state;
    log_error("%s", "a\x1b[31m\nb\rc");
    assert_int_equal(count_lines(is_one_line), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_are_gathered_are_written_in_order_and_none_is_cut),
        cmocka_unit_test(what_is_too_long_is_cut_and_still_ends_its_line),
        cmocka_unit_test(nothing_from_outside_can_forge_a_line),
    };

    return cmocka_run_group_tests(tests, open_file, remove_file);
}
