/* The configuration: supervisor.conf, and behind each line "%% NAME" the file of the service NAME.
 * It is read as at a start. Every error lies in one of the files, at a line and column that it has;
 * what was accepted, written down, is accepted again and means the same. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "config/config.h"
#include "field.h"
#include "printed.h"
#include "reader.h"
#include "supervisor_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SERVICES_MOST 12

/* ---- the files ---- */

static void make_folder(const char *name)
{
    char path[256];

    fuzz_remove(name);
    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    CHECK(mkdir(path, 0755) == 0, "%s: %s", path, strerror(errno));
}

static bool can_be_file(const char *name)
{
    return *name && *name != '.' && !strchr(name, '/') && strlen(name) < 200;
}

static void write_service(const char *folder, const char *name, const char *data, size_t size)
{
    char file[300];

    snprintf(file, sizeof file, "%s/%s.conf", folder, name);
    fuzz_write(file, data, size);
}

static void write_files(struct input *input)
{
    CLEANUP(freep) char *name = NULL;

    make_folder("services.d");
    fuzz_write("supervisor.conf", "", 0);
    for (size_t i = 0; i < SERVICES_MOST; i++) {
        CLEANUP(freep) char *data = NULL;
        char *next;
        size_t size = 0;

        data = input_piece(input, &size, &next);
        if (!data)
            break;
        if (i == 0)
            fuzz_write("supervisor.conf", data, size);
        else if (can_be_file(name))
            write_service("services.d", name, data, size);
        free(name);
        name = next;
    }
}

/* ---- what is wrong ---- */

/* What stands at the place, up to the end of its line: the caller's; NULL: the file has none such.
 */
static char *text_at(const char *path, int line, int column)
{
    CLEANUP(fclosep) FILE *f = fopen(path, "re");
    CLEANUP(freep) char *text = NULL;
    size_t capacity = 0;
    ssize_t len = 0;

    for (int i = 0; f && i < line && len >= 0; i++)
        len = getline(&text, &capacity, f);
    if (!f || len < 0 || column < 1 || column > len + 1)
        return NULL;
    return strndup(text + column - 1, strcspn(text + column - 1, "\r\n"));
}

/* Whether it shows a word, as it was written, of a key that holds words: its own place is told. */
static bool tells_word(const struct problem *p)
{
    static const char *const keys[] = {"tags", "supplementary_groups", "server_names"};
    const char *open = strchr(p->message, '"'), *close = open ? strchr(open + 1, '"') : NULL;

    if (!p->key || p->warning || !close || strchr(close + 1, '"') || strstr(p->message, "...\"") ||
        strstr(p->message, "\\x"))
        return false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(p->key, keys[i]) == 0)
            return true;
    return false;
}

/* The word that is quoted stands there, whole, or it goes on in the next line. */
static void check_word(const struct problem *p, const char *text)
{
    CLEANUP(freep)
    char *before = p->column > 1 ? text_at(p->file, p->line, p->column - 1) : strdup(" ");
    const char *word = strchr(p->message, '"') + 1;
    size_t i = 0;

    while (word[i] != '"' && text[i] == word[i])
        i++;
    CHECK(strchr(" \t,=", before[0]), "%d:%d: in a word: %s", p->line, p->column, p->message);
    CHECK(text[i] == '\\' || (word[i] == '"' && strchr(" \t,", text[i])), "%d:%d: \"%s\": %s",
          p->line, p->column, text, p->message);
}

static void check_problem(const struct problem *p)
{
    CLEANUP(freep) char *text = NULL;

    CHECK(p->file && p->file[0] == '/', "%s", p->file);
    CHECK(p->message && p->message[0], "%s:%d says nothing", p->file, p->line);
    CHECK((p->line > 0) == (p->column > 0), "%s:%d:%d", p->file, p->line, p->column);
    for (const char *c = p->message; *c; c++)
        CHECK((unsigned char)*c >= ' ' && *c != 0x7f, "a control character in: %s", p->message);
    if (p->line == 0)
        return;
    text = text_at(p->file, p->line, p->column);
    CHECK(text, "%s:%d:%d: %s", p->file, p->line, p->column, p->message);
    if (tells_word(p))
        check_word(p, text);
}

static void check_problems(const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        check_problem(&problems->items[i]);
}

/* ---- once more ---- */

static bool fits(const struct text *t)
{
    const char *end;

    for (const char *line = t->data; line; line = end ? end + 1 : NULL) {
        end = strchr(line, '\n');
        if ((end ? (size_t)(end - line) : strlen(line)) > READER_LINE_MOST)
            return false; /* the quotes have made it longer */
    }
    return t->len <= READER_FILE_MOST;
}

static void check_none(const struct problems *problems, const char *text)
{
    if (problems_errors(problems) > 0) {
        fputs(text, stderr);
        problems_print(problems, stderr);
    }
    CHECK(problems_errors(problems) == 0, "what was accepted is refused");
}

static void check_config_again(const struct config *config)
{
    CLEANUP(text_deinit) struct text t = {0};
    struct problems problems = {0};
    struct config *again;
    char path[256];
    bool good;

    printed_config(config, &t);
    if (!fits(&t))
        return;
    fuzz_write("again.conf", t.data, t.len);
    snprintf(path, sizeof path, "%s/again.conf", fuzz_folder());
    again = config_read(path, &problems, &good);
    CHECK(again, "no memory");
    check_none(&problems, t.data);
    for (size_t i = 0; i < supervisor_file.field_count; i++) {
        const struct field *field = &supervisor_file.fields[i];

        if (!field->later)
            CHECK(field->type->same((const char *)config + field->offset,
                                    (const char *)again + field->offset),
                  "%s is another: %s", field->name, t.data);
    }
    problems_deinit(&problems);
    config_free(again);
}

static bool write_again(const struct service_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        CLEANUP(text_deinit) struct text t = {0};

        printed_spec(set->specs[i], &t);
        if (!fits(&t))
            return false;
        write_service("again.d", set->specs[i]->name, t.data, t.len);
    }
    for (size_t i = 0; i < set->refused_count; i++) /* others may name it */
        write_service("again.d", set->refused[i].name, "?", 1);
    return true;
}

static void check_same(const struct service_set *a, const struct service_set *b,
                       const struct problems *problems)
{
    if (a->count != b->count)
        problems_print(problems, stderr);
    CHECK(a->count == b->count, "%zu services became %zu", a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        CLEANUP(text_deinit) struct text t = {0};

        printed_spec(a->specs[i], &t);
        CHECK(strcmp(a->specs[i]->name, b->specs[i]->name) == 0, "another service");
        CHECK(spec_equal(a->specs[i], b->specs[i]), "%s is another: %s", a->specs[i]->name, t.data);
    }
}

static void check_services_again(const struct config *config, const struct service_set *set)
{
    struct config other = *config;
    char path[256];
    struct service_set again = {0};
    struct problems problems = {0};
    struct error err = {0};

    make_folder("again.d");
    if (!write_again(set))
        return;
    snprintf(path, sizeof path, "%s/again.d", fuzz_folder());
    other.services_dir = path;
    CHECK(config_load_services(&other, &again, &problems, &err) == 0, "%s", err.text);
    check_same(set, &again, &problems);
    service_set_deinit(&again);
    problems_deinit(&problems);
}

static void check_services(struct config *config, bool good, struct problems *problems)
{
    char path[256];
    struct service_set set = {0};
    struct error err = {0};

    snprintf(path, sizeof path, "%s/services.d", fuzz_folder());
    if (good)
        check_config_again(config);
    free(config->services_dir); /* the host's own files are none of ours */
    config->services_dir = strdup(path);
    CHECK(config_load_services(config, &set, problems, &err) == 0, "%s", err.text);
    check_problems(problems);
    for (size_t i = 0; i < set.refused_count; i++)
        CHECK(set.refused[i].message && set.refused[i].message[0], "refused without a reason");
    if (good)
        check_services_again(config, &set);
    service_set_deinit(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = input_of(data, size);
    struct problems problems = {0};
    struct config *config;
    bool good = false;
    char path[256];

    write_files(&input);
    snprintf(path, sizeof path, "%s/supervisor.conf", fuzz_folder());
    config = config_read(path, &problems, &good);
    CHECK(config, "no memory");
    check_problems(&problems);
    CHECK(good == (problems_errors(&problems) == 0), "%zu errors", problems_errors(&problems));
    check_services(config, good, &problems);
    problems_deinit(&problems);
    config_free(config);
    return 0;
}
