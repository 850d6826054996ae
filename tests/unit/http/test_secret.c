#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secret.h"

static char folder[] = "/tmp/orderly-secret-XXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/secret", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void write_file(const char *text, mode_t mode)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(path, mode);
}

static int try_read(size_t limit, struct error *err)
{
    char *data = NULL;
    size_t len = 0;
    int result = secret_read(path, limit, &data, &len, err);

    if (result == 0)
        secret_free(data, len);
    return result;
}

static void the_whole_file_is_read(void **state)
{
    char *data;
    size_t len;

    (void)state;
    write_file("one\ntwo", 0600);
    assert_int_equal(secret_read(path, 7, &data, &len, NULL), 0);
    assert_int_equal(len, 7);
    assert_string_equal(data, "one\ntwo");
    secret_free(data, len);
    secret_free(NULL, 0);
}

static void what_is_looser_than_0640_is_refused(void **state)
{
    static const mode_t fine[] = {0600, 0400, 0640, 0440, 0700};
    static const mode_t loose[] = {0644, 0660, 0604, 0601, 0620, 0650, 0666, 0777};
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        write_file("x", fine[i]);
        assert_int_equal(try_read(10, &err), 0);
        unlink(path);
    }
    for (size_t i = 0; i < sizeof loose / sizeof *loose; i++) {
        write_file("x", loose[i]);
        assert_int_equal(try_read(10, &err), -EACCES);
        assert_non_null(strstr(err.text, "chmod 600"));
    }
}

static void what_belongs_to_somebody_else_is_refused(void **state)
{
    struct error err = {0};

    (void)state;
    if (geteuid() != 0)
        skip();
    write_file("x", 0600);
    assert_int_equal(chown(path, 54321, (gid_t)-1), 0);
    assert_int_equal(try_read(10, &err), -EACCES);
    assert_non_null(strstr(err.text, "belongs to uid 54321"));
}

static void what_is_too_large_is_refused(void **state)
{
    struct error err = {0};

    (void)state;
    write_file("0123456789", 0600);
    assert_int_equal(try_read(9, &err), -EFBIG);
    assert_int_equal(try_read(10, &err), 0);
}

/* Nobody writes to the FIFO: opening it must not wait for that. */
static void only_regular_files_are_read_and_nothing_is_waited_for(void **state)
{
    struct error err = {0};

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(try_read(10, &err), -EINVAL);
    unlink(path);
    assert_int_equal(try_read(10, &err), -ENOENT);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(try_read(10, &err), -EINVAL);
    rmdir(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_whole_file_is_read, remove_file),
        cmocka_unit_test_teardown(what_is_looser_than_0640_is_refused, remove_file),
        cmocka_unit_test_teardown(what_belongs_to_somebody_else_is_refused, remove_file),
        cmocka_unit_test_teardown(what_is_too_large_is_refused, remove_file),
        cmocka_unit_test_teardown(only_regular_files_are_read_and_nothing_is_waited_for,
                                  remove_file),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
