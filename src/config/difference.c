/* difference - what two readings of supervisor.conf have not in common, by the field table.
 * Threads: any. */
#include "base/cleanup.h"
#include "base/text.h"
#include "config/config.h"
#include "values.h"

#include <errno.h>
#include <string.h>

bool same_string(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;

    return x == y || (x && y && strcmp(x, y) == 0);
}

bool same_number(const void *a, const void *b)
{
    return *(const int64_t *)a == *(const int64_t *)b;
}

bool same_word(const void *a, const void *b)
{
    return *(const int *)a == *(const int *)b;
}

bool same_truth(const void *a, const void *b)
{
    return *(const bool *)a == *(const bool *)b;
}

bool same_strings(const void *a, const void *b)
{
    const struct string_list *x = a, *y = b;

    if (x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (strcmp(x->items[i], y->items[i]) != 0)
            return false;
    return true;
}

static int add_key(struct string_list *keys, const struct field *field)
{
    CLEANUP(text_deinit) struct text t = {0};

    text_appendf(&t, "%s.%s", field->section, field->name);
    return t.failed ? -ENOMEM : string_list_add(keys, t.data);
}

int config_needs_restart(const struct config *a, const struct config *b,
                         struct string_list *ret_keys)
{
    CLEANUP(string_list_clear) struct string_list keys = {0};
    int r = 0;

    for (size_t i = 0; r == 0 && i < supervisor_file.field_count; i++) {
        const struct field *field = &supervisor_file.fields[i];

        if (field->waits && !field->later &&
            !field->type->same((const char *)a + field->offset, (const char *)b + field->offset))
            r = add_key(&keys, field);
    }
    if (r < 0)
        return r;
    *ret_keys = keys;
    keys = (struct string_list){0};
    return 0;
}
