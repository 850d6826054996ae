/* The executor's settings, as they come in a memfd: what is accepted lies wholly within the bytes
 * that were given, and written down again from what was understood it is the same bytes. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "executor.h"

#include <errno.h>
#include <string.h>

#define BYTES_MOST 65536

static void append_string(struct text *t, const char *string)
{
    text_append_n(t, string, strlen(string) + 1);
}

static void append_array(struct text *t, char **array, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        append_string(t, array[i]);
    CHECK(array[count] == NULL, "the array does not end");
}

static void write_down(struct text *t, const struct settings *s)
{
    static const char padding[4];
    const char *const strings[] = {s->directory, s->output,           s->error_output,
                                   s->ready,     s->environment_file, s->cgroup};

    text_append_n(t, (const char *)s->header, sizeof *s->header);
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        CHECK(strings[i][0] == '\0' || strings[i][0] == '/', "path %zu is \"%s\"", i, strings[i]);
        append_string(t, strings[i]);
    }
    append_array(t, s->arguments, s->header->argument_count);
    append_array(t, s->environment, s->header->environment_count);
    text_append_n(t, padding, -t->len % sizeof padding);
    text_append_n(t, (const char *)s->groups, s->header->group_count * sizeof(gid_t));
}

static void check_accepted(const void *data, size_t size, struct settings *s)
{
    CLEANUP(text_deinit) struct text again = {0};
    size_t strings = sizeof *s->header + (size_t)s->header->string_bytes;

    write_down(&again, s);
    CHECK(again.len == size, "%zu bytes became %zu", size, again.len);
    CHECK(memcmp(again.data, data, strings) == 0, "the strings are others");
    CHECK(s->arguments[0] && s->arguments[0][0], "there is no program");
    for (char **e = s->environment; *e; e++)
        CHECK(strchr(*e, '=') > *e, "\"%s\" is no variable", *e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings s = {0};
    char *copy;

    if (size > BYTES_MOST)
        return 0;
    copy = malloc(size ? size : 1); /* exactly as large, and aligned */
    CHECK(copy, "no memory");
    if (size > 0)
        memcpy(copy, data, size);
    if (settings_parse(copy, size, &s) == 0) {
        check_accepted(copy, size, &s);
        free(s.arguments);
        free(s.environment);
    } else {
        CHECK(!s.header && !s.arguments, "refused, and yet given");
    }
    free(copy);
    return 0;
}
