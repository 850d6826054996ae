#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tokens.h"

#define SECRET "0123456789abcdef"

static char folder[] = "/tmp/orderly-tokens-XXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/tokens", folder);
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

static void write_file(const char *bytes, size_t n, mode_t mode)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
    chmod(path, mode);
}

static int read_text(const char *text, struct tokens *tokens, int *line, struct error *err)
{
    write_file(text, strlen(text), 0600);
    *tokens = (struct tokens){0};
    return tokens_read(path, tokens, line, err);
}

static void a_line_is_a_name_a_role_and_a_secret(void **state)
{
    struct tokens tokens;
    struct identity who;
    struct error err = {0};
    int line;

    (void)state;
    assert_int_equal(read_text("# people\n\n  deploy\toperate  " SECRET "x \nview read " SECRET
                               "y\r\nboss admin " SECRET "z",
                               &tokens, &line, &err),
                     0);
    assert_int_equal(tokens.count, 3);
    assert_true(tokens_find(&tokens, SECRET "x", &who));
    assert_string_equal(who.name, "token:deploy");
    assert_int_equal(who.role, ROLE_OPERATE);
    assert_true(tokens_find(&tokens, SECRET "y", &who));
    assert_int_equal(who.role, ROLE_READ);
    assert_true(tokens_find(&tokens, SECRET "z", &who));
    assert_int_equal(who.role, ROLE_ADMIN);
    tokens_deinit(&tokens);
}

static void a_secret_is_found_whole_or_not_at_all(void **state)
{
    struct tokens tokens;
    struct identity who = {.role = ROLE_NONE};
    struct error err = {0};
    char longer[600];
    int line;

    (void)state;
    assert_int_equal(read_text("a admin " SECRET "\n", &tokens, &line, &err), 0);
    assert_false(tokens_find(&tokens, "", &who));
    assert_false(tokens_find(&tokens, "0123456789abcde", &who));
    assert_false(tokens_find(&tokens, SECRET "0", &who));
    assert_false(tokens_find(&tokens, "0123456789abcdeF", &who));
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_false(tokens_find(&tokens, longer, &who));
    assert_int_equal(who.role, ROLE_NONE);
    tokens_deinit(&tokens);
}

static void the_longest_secret_does_not_match_what_is_longer_still(void **state)
{
    struct tokens tokens;
    struct identity who;
    struct error err = {0};
    char text[300], secret[TOKEN_SECRET_MAX + 2];
    int line;

    (void)state;
    memset(secret, 'k', sizeof secret - 1);
    secret[sizeof secret - 1] = '\0';
    snprintf(text, sizeof text, "a admin %.*s", TOKEN_SECRET_MAX, secret);
    assert_int_equal(read_text(text, &tokens, &line, &err), 0);
    assert_false(tokens_find(&tokens, secret, &who));
    secret[TOKEN_SECRET_MAX] = '\0';
    assert_true(tokens_find(&tokens, secret, &who));
    tokens_deinit(&tokens);
}

static void a_wrong_file_is_refused_by_line(void **state)
{
    const struct {
        const char *text;
        int line;
        const char *says;
    } cases[] = {
        {"a admin " SECRET "\nb admin\n", 2, "three words"},
        {"a admin " SECRET " more\n", 1, "three words"},
        {"# x\na root " SECRET "\n", 2, "read, operate or admin"},
        {"a none " SECRET "\n", 1, "read, operate or admin"},
        {"a admin short\n", 1, "16 to 256"},
        {"a admin " SECRET "\xc3\xa9\n", 1, "visible"},
        {"-a admin " SECRET "\n", 1, "name"},
        {"a admin " SECRET "\na read " SECRET "2\n", 2, "the name is there already"},
        {"a admin " SECRET "\nb read " SECRET "\n", 2, "the secret is there already"},
        {"# nothing\n", 0, "no token"},
        {"", 0, "no token"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tokens tokens;
        struct error err = {0};
        int line = -1;

        assert_true(read_text(cases[i].text, &tokens, &line, &err) < 0);
        assert_int_equal(line, cases[i].line);
        if (!strstr(err.text, cases[i].says))
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].text, err.text, cases[i].says);
        assert_null(strstr(err.text, SECRET));
        assert_null(tokens.items);
    }
}

static void a_file_that_others_may_read_is_refused(void **state)
{
    const mode_t modes[] = {0644, 0604, 0660, 0601};

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        const char text[] = "a admin " SECRET "\n";
        struct tokens tokens;
        struct error err = {0};
        int line;

        write_file(text, sizeof text - 1, modes[i]);
        assert_int_equal(tokens_read(path, &tokens, &line, &err), -EACCES);
        assert_non_null(strstr(err.text, "chmod 600"));
    }
}

static void a_nul_does_not_hide_what_follows_it(void **state)
{
    const char text[] = "a admin " SECRET "\0 more\n";
    struct tokens tokens;
    struct error err = {0};
    int line;

    (void)state;
    write_file(text, sizeof text - 1, 0600);
    assert_int_equal(tokens_read(path, &tokens, &line, &err), -EINVAL);
    assert_int_equal(line, 1);
}

static void the_file_that_is_made_lets_one_admin_in_and_is_not_made_twice(void **state)
{
    struct tokens tokens;
    struct identity who;
    struct error err = {0};
    struct stat st;
    char secret[TOKEN_SECRET_MAX + 1] = "";
    int line;

    (void)state;
    assert_int_equal(tokens_make(path, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(tokens_read(path, &tokens, &line, &err), 0);
    assert_int_equal(tokens.count, 1);
    memcpy(secret, tokens.items[0].secret, TOKEN_SECRET_MAX);
    assert_int_equal(strlen(secret), 64);
    assert_true(tokens_find(&tokens, secret, &who));
    assert_string_equal(who.name, "token:admin");
    assert_int_equal(who.role, ROLE_ADMIN);
    assert_int_equal(tokens_make(path, &err), -EEXIST);
    tokens_deinit(&tokens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_line_is_a_name_a_role_and_a_secret, remove_file),
        cmocka_unit_test_teardown(a_secret_is_found_whole_or_not_at_all, remove_file),
        cmocka_unit_test_teardown(the_longest_secret_does_not_match_what_is_longer_still,
                                  remove_file),
        cmocka_unit_test_teardown(a_wrong_file_is_refused_by_line, remove_file),
        cmocka_unit_test_teardown(a_file_that_others_may_read_is_refused, remove_file),
        cmocka_unit_test_teardown(a_nul_does_not_hide_what_follows_it, remove_file),
        cmocka_unit_test_teardown(the_file_that_is_made_lets_one_admin_in_and_is_not_made_twice,
                                  remove_file),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
