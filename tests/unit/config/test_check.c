#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

#include <stdlib.h>

#define GOOD "[service]\ncommand = a\nuser = 0\n"

/* What a check of the folder says, first to stdout, then to stderr; the caller frees. */
static char *check(const struct scratch *s, bool good)
{
    char path[80], *out = NULL, *complaints = NULL, *all;
    size_t len;
    FILE *a = open_memstream(&out, &len), *b = open_memstream(&complaints, &len);

    assert_true(a && b);
    snprintf(path, sizeof path, "%s/supervisor.conf", s->folder);
    assert_int_equal(config_check(path, a, b), good);
    fclose(a);
    fclose(b);
    assert_true(asprintf(&all, "%s%s", out, complaints) >= 0);
    free(out);
    free(complaints);
    return all;
}

static void expect(const struct scratch *s, bool good, const char *says)
{
    char *said = check(s, good);

    if (!strstr(said, says))
        fail_msg("expected: %s\nsaid:\n%s", says, said);
    free(said);
}

static void a_good_configuration_is_counted(void **state)
{
    struct scratch s;

    (void)state;
    scratch_open(&s, "");
    expect(&s, true, "0 services, no errors\n");
    scratch_service(&s, "a", GOOD);
    expect(&s, true, "1 service, no errors\n");
    scratch_service(&s, "b", GOOD);
    expect(&s, true, "2 services, no errors\n");
    scratch_close(&s);
}

static void errors_are_counted_too(void **state)
{
    struct scratch s;

    (void)state;
    scratch_open(&s, "");
    scratch_service(&s, "a", "[service]\ncomand = a\n");
    expect(&s, false, "/services.d/a.conf:2:1: error: comand: ");
    expect(&s, false, "\n1 error\n");
    scratch_service(&s, "b", "rubbish\n");
    expect(&s, false, "\n2 errors\n");
    scratch_close(&s);
}

/* Whoever repairs one file hears of the other at once. */
static void a_broken_supervisor_conf_hides_no_error_of_a_service(void **state)
{
    struct scratch s;

    (void)state;
    scratch_open(&s, "[daemon]\nwrokers = 1\n");
    scratch_service(&s, "a", "[service]\ncomand = a\n");
    scratch_service(&s, "b", GOOD);
    expect(&s, false, "/supervisor.conf:2:1: error: wrokers: ");
    expect(&s, false, "/services.d/a.conf:2:1: error: comand: ");
    expect(&s, false, "\n2 errors\n");
    scratch_close(&s);
}

static void a_folder_that_is_missing_is_an_error(void **state)
{
    struct scratch s;

    (void)state;
    scratch_open(&s, "[daemon]\nservices_dir = none\n");
    expect(&s, false, "/supervisor.conf: error: open services_dir ");
    expect(&s, false, "\n1 error\n");
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_configuration_is_counted),
        cmocka_unit_test(errors_are_counted_too),
        cmocka_unit_test(a_broken_supervisor_conf_hides_no_error_of_a_service),
        cmocka_unit_test(a_folder_that_is_missing_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
