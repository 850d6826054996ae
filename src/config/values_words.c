/* values_words - types that are many words: lists of names, commands, the environment. */
#include "base/cleanup.h"
#include "command.h"
#include "loading.h"
#include "path.h"
#include "values.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* ---- names ---- */

#define BETWEEN_NAMES " \t,"

/* The word of len bytes at `at`; false: it is reported. */
static bool add_name(const struct setting *s, bool (*valid)(const char *), struct string_list *list,
                     size_t at, size_t len)
{
    CLEANUP(freep) char *name = strndup(s->text + at, len);

    if (!name)
        loading_out_of_memory(s->loading);
    else if (valid && !valid(name))
        setting_refuse(s, at, "%s is no name: a letter or digit, then letters, digits and _ . @ -",
                       QUOTED(name));
    else if (string_list_has(list, name))
        setting_refuse(s, at, "%s stands twice", QUOTED(name));
    else if (list->count == LIST_MOST)
        setting_refuse(s, at, "more than %d names", LIST_MOST);
    else if (string_list_add(list, name) < 0)
        loading_out_of_memory(s->loading);
    else
        return true;
    return false;
}

bool setting_names(const struct setting *s, bool (*valid)(const char *),
                   struct string_list *ret_names)
{
    CLEANUP(string_list_clear) struct string_list list = {0};
    size_t len;

    for (size_t at = 0; s->text[at]; at += len) {
        at += strspn(s->text + at, BETWEEN_NAMES);
        len = strcspn(s->text + at, BETWEEN_NAMES);
        if (len > 0 && !add_name(s, valid, &list, at, len))
            return false;
    }
    *ret_names = list;
    list = (struct string_list){0};
    return true;
}

size_t setting_name_at(const struct setting *s, size_t index)
{
    size_t at = strspn(s->text, BETWEEN_NAMES);

    for (; index > 0; index--) {
        at += strcspn(s->text + at, BETWEEN_NAMES);
        at += strspn(s->text + at, BETWEEN_NAMES);
    }
    return at;
}

static void set_names(const struct setting *s)
{
    setting_names(s, service_name_valid, setting_target(s));
}

const struct value_type type_names = {
    .name = "names", .expects = "names", .set = set_names, .may_be_empty = true};

/* ---- command ---- */

/* A bare name is looked for in PATH when the service starts; one with a slash is a path. */
static bool resolve_program(const struct setting *s, struct string_list *argv)
{
    const char *fault;
    char *path;

    if (!strchr(argv->items[0], '/'))
        return true;
    path = path_absolute(s->loading->folder, argv->items[0]);
    if (!path) {
        loading_out_of_memory(s->loading);
        return false;
    }
    free(argv->items[0]);
    argv->items[0] = path;
    fault = path_fault(path, PATH_MOST);
    if (fault)
        setting_refuse(s, 0, "no such program can exist: %s", fault);
    return !fault;
}

/* The text goes where the table says, its words into ret_argv. */
static void put_command(const struct setting *s, struct string_list *ret_argv)
{
    CLEANUP(string_list_clear) struct string_list argv = {0};
    struct error err;
    size_t at;

    if (command_split(s->text, &argv, &at, &err) < 0) {
        setting_refuse(s, at, "%s", err.text);
        return;
    }
    if (!resolve_program(s, &argv))
        return;
    setting_put_string(s, strdup(s->text));
    *ret_argv = argv;
    argv = (struct string_list){0};
}

static void set_command(const struct setting *s)
{
    struct service_spec *spec = s->loading->record;

    put_command(s, &spec->argv);
}

const struct value_type type_command = {
    .name = "command", .expects = "a command: a program and its arguments", .set = set_command};

static void set_reload_command(const struct setting *s)
{
    struct service_spec *spec = s->loading->record;

    put_command(s, &spec->reload_argv);
}

const struct value_type type_reload_command = {.name = "command",
                                               .expects = "a command: a program and its arguments",
                                               .set = set_reload_command};

/* ---- environment ---- */

static size_t name_length(const char *variable)
{
    size_t len = 0;

    if (isdigit((unsigned char)variable[0]))
        return 0;
    while (isalnum((unsigned char)variable[len]) || variable[len] == '_')
        len++;
    return variable[len] == '=' ? len : 0;
}

static bool variable_known(const struct string_list *list, size_t before, const char *variable,
                           size_t len)
{
    for (size_t i = 0; i < before; i++)
        if (strncmp(list->items[i], variable, len + 1) == 0)
            return true;
    return false;
}

static bool check_variables(const struct setting *s, const struct string_list *list)
{
    if (list->count > LIST_MOST) {
        setting_refuse(s, 0, "more than %d variables; an environment_file may hold them",
                       LIST_MOST);
        return false;
    }
    for (size_t i = 0; i < list->count; i++) {
        size_t len = name_length(list->items[i]);

        if (len == 0) {
            /* It is not shown: it may be a part of a secret. */
            setting_refuse(
                s, 0, "expected NAME=VALUE; word %zu is none: a value with blanks needs quotes",
                i + 1);
            return false;
        }
        if (variable_known(list, i, list->items[i], len)) {
            setting_refuse(s, 0, "%.*s stands twice", (int)(len < 80 ? len : 80), list->items[i]);
            return false;
        }
    }
    return true;
}

static void set_environment(const struct setting *s)
{
    CLEANUP(string_list_clear) struct string_list list = {0};
    struct error err;
    size_t at;

    if (words_split(s->text, &environment_rules, &list, &at, &err) < 0) {
        setting_refuse(s, at, "%s", err.text);
        return;
    }
    if (!check_variables(s, &list))
        return;
    *(struct string_list *)setting_target(s) = list;
    list = (struct string_list){0};
}

const struct value_type type_environment = {.name = "NAME=VALUE ...",
                                            .expects = "NAME=VALUE NAME=\"A VALUE\" ...",
                                            .set = set_environment,
                                            .may_be_empty = true};

static void set_environment_file(const struct setting *s)
{
    struct service_spec *spec = s->loading->record;
    struct setting path = *s;

    spec->environment_file_optional = s->text[0] == '-';
    path.text += spec->environment_file_optional;
    path.offset += spec->environment_file_optional;
    if (*path.text == '\0')
        setting_expected(s);
    else
        type_path.set(&path);
}

const struct value_type type_environment_file = {
    .name = "path or -path", .expects = "a path, or -path", .set = set_environment_file};
