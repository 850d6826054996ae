/* An environment file, merged by the executor: what comes of it are variables, each key once, the
 * service's own always as they were. What it keeps lives until exec; here it is taken back. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "executor.h"
#include "kept.h"

#include <errno.h>
#include <string.h>

static size_t key_size(const char *variable)
{
    const char *equals = strchr(variable, '=');

    CHECK(equals && equals > variable, "\"%s\" is no variable", variable);
    return (size_t)(equals - variable) + 1;
}

static void check_keys(char **environment)
{
    for (char **a = environment; *a; a++)
        for (char **b = a + 1; *b; b++)
            CHECK(strncmp(*a, *b, key_size(*a)) != 0, "\"%s\" and \"%s\"", *a, *b);
}

static void check_there(char **environment, const char *variable)
{
    char **e = environment;

    while (*e && strcmp(*e, variable) != 0)
        e++;
    CHECK(*e, "%s is gone", variable);
}

static size_t count_lines(const uint8_t *data, size_t size)
{
    size_t lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *variables[] = {"PATH=/bin", "TERM=dumb", "OWN=kept", "MAINPID=7", NULL};
    struct exec_settings header = {.environment_count = 4, .own_count = 2};
    char path[256];
    struct settings s = {.header = &header, .environment_file = path, .environment = variables};
    struct failure f = {0};

    snprintf(path, sizeof path, "%s/environment", fuzz_folder());
    fuzz_write("environment", data, size);
    if (environment_merge(&s, &f)) {
        check_keys(s.environment);
        check_there(s.environment, "OWN=kept");
        check_there(s.environment, "MAINPID=7");
    } else if (f.error == EINVAL) {
        CHECK(f.step == STEP_ENVIRONMENT_FILE, "step %d", (int)f.step);
        CHECK(f.line >= 1 && (size_t)f.line <= count_lines(data, size), "line %d of %zu", f.line,
              count_lines(data, size));
    } else {
        CHECK(f.error == EFBIG, "%s", strerror(f.error));
    }
    kept_free();
    return 0;
}
