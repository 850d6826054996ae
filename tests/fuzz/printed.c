#include "printed.h"

#include "base/units.h"
#include "field.h"
#include "fuzz.h"
#include "model/exit_cause.h"
#include "quoted.h"
#include "values.h"

#include <inttypes.h>
#include <string.h>

/* A last backslash would let the line go on: it is given one more, and an empty line to go on in.
 */
static void append_pair(struct text *t, const char *key, const char *value)
{
    size_t len = strlen(value);
    bool goes_on = len > 0 && value[len - 1] == '\\';

    text_appendf(t, "%s = %s%s\n", key, value, goes_on ? "\\\n" : "");
}

/* ---- the types: each writes its value, or nothing where it is as if it had not been written ----
 */

static bool is_string(const struct value_type *type)
{
    return type == &type_text || type == &type_path || type == &type_api_group ||
           type == &type_listen || type == &type_unit;
}

static void print_word(const struct field *field, const void *at, struct text *t)
{
    int value = field->type == &type_word ? *(const int *)at : *(const bool *)at;

    for (const struct choice *c = field->choices; c->word; c++)
        if (c->value == value && !c->later) {
            append_pair(t, field->name, c->word);
            return;
        }
    CHECK(false, "%s has no word for %d", field->name, value);
}

static void print_names(const struct field *field, const struct string_list *list, struct text *t)
{
    text_appendf(t, "%s =", field->name);
    for (size_t i = 0; i < list->count; i++)
        text_appendf(t, "%s %s", i > 0 ? "," : "", list->items[i]);
    text_append(t, "\n");
}

static void print_words(const char *key, const struct string_list *words, struct text *t)
{
    if (words->count == 0)
        return;
    text_appendf(t, "%s = ", key);
    quoted_list(t, words);
    text_append(t, "\n");
}

static void print_signal(const struct field *field, int number, struct text *t)
{
    char name[16];

    if (number == 0)
        return;
    signal_name(number, name);
    append_pair(t, field->name, name);
}

static void print_number(const struct field *field, int64_t value, struct text *t)
{
    char text[UNITS_TEXT_SIZE];

    if (value < field->min) /* a limit that is not set */
        return;
    field->type->format(value, text);
    append_pair(t, field->name, text);
}

static void print_core(int64_t value, struct text *t)
{
    if (value == INT64_MAX)
        append_pair(t, "core", "unlimited");
    else if (value >= 0)
        text_appendf(t, "core = %" PRId64 "\n", value);
}

/* Those that one place in the record can tell. */
static void print_plain(const struct field *field, const void *record, struct text *t)
{
    const void *at = (const char *)record + field->offset;
    const struct value_type *type = field->type;

    if (is_string(type) && *(char *const *)at)
        append_pair(t, field->name, *(char *const *)at);
    else if (type == &type_word || type == &type_truth)
        print_word(field, at, t);
    else if (type == &type_names || type == &type_host_names)
        print_names(field, at, t);
    else if (type == &type_signal || type == &type_reload_signal)
        print_signal(field, *(const int *)at, t);
    else if (type == &type_umask)
        text_appendf(t, "%s = %04o\n", field->name, *(const mode_t *)at);
    else if (type == &type_core)
        print_core(*(const int64_t *)at, t);
    else if (type->format && type != &type_oom_score)
        print_number(field, *(const int64_t *)at, t);
}

static void print_identity(const struct service_spec *spec, struct text *t)
{
    if (!spec->user && !spec->set_user)
        return;
    if (spec->user)
        append_pair(t, "user", spec->user);
    text_appendf(t, "group = %u\nsupplementary_groups =", spec->gid);
    for (size_t i = 0; i < spec->group_count; i++)
        if (spec->groups[i] != spec->gid)
            text_appendf(t, " %u", spec->groups[i]);
    text_append(t, "\n");
}

/* Those that take more than one place. */
static void print_of_service(const struct field *field, const struct service_spec *spec,
                             struct text *t)
{
    if (field->type == &type_command)
        print_words(field->name, &spec->argv, t);
    else if (field->type == &type_reload_command)
        print_words(field->name, &spec->reload_argv, t);
    else if (field->type == &type_environment)
        print_words(field->name, &spec->environment, t);
    else if (field->type == &type_user)
        print_identity(spec, t);
    else if (field->type == &type_oom_score && spec->set_oom_score_adjust)
        text_appendf(t, "%s = %" PRId64 "\n", field->name, spec->oom_score_adjust);
    else if (field->type == &type_environment_file && spec->environment_file)
        text_appendf(t, "%s = %s%s%s\n", field->name, spec->environment_file_optional ? "-" : "",
                     spec->environment_file,
                     spec->environment_file[strlen(spec->environment_file) - 1] == '\\' ? "\\\n"
                                                                                        : "");
    else if (field->type != &type_group && field->type != &type_groups)
        print_plain(field, spec, t);
}

/* ---- the files ---- */

static void begin_section(const struct file_kind *kind, size_t index, struct text *t)
{
    const char *section = kind->fields[index].section;

    if (index == 0 || strcmp(section, kind->fields[index - 1].section) != 0)
        text_appendf(t, "[%s]\n", section);
}

void printed_config(const struct config *config, struct text *t)
{
    for (size_t i = 0; i < supervisor_file.field_count; i++) {
        begin_section(&supervisor_file, i, t);
        if (!supervisor_file.fields[i].later)
            print_plain(&supervisor_file.fields[i], config, t);
    }
}

static bool is_for(const struct field *field, const struct service_spec *spec)
{
    enum scope scope = field_scope(&service_file, field);

    return scope == FOR_ANY || (scope == FOR_UNITS) == spec_is_unit(spec);
}

void printed_spec(const struct service_spec *spec, struct text *t)
{
    for (size_t i = 0; i < service_file.field_count; i++) {
        const struct field *field = &service_file.fields[i];

        if (strcmp(field->section, "health") == 0)
            continue;
        begin_section(&service_file, i, t);
        if (!field->later && is_for(field, spec))
            print_of_service(field, spec, t);
    }
}
