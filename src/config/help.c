/* help - the reference of both files, printed from the field table.
 * Threads: any. */
#include "base/cleanup.h"
#include "config/config.h"
#include "field.h"

#include <string.h>

#define WIDTH  98
#define INDENT 6

/* Words of s, broken so that no line is longer than WIDTH. */
static void print_wrapped(const char *s, FILE *to)
{
    size_t column = INDENT;

    fprintf(to, "%*s", INDENT, "");
    while (*s) {
        size_t len = strcspn(s, " ");

        if (column > INDENT && column + 1 + len > WIDTH) {
            fprintf(to, "\n%*s", INDENT, "");
            column = INDENT;
        } else if (column > INDENT) {
            putc(' ', to);
            column++;
        }
        fprintf(to, "%.*s", (int)len, s);
        column += len;
        s += len;
        s += strspn(s, " ");
    }
    putc('\n', to);
}

static const char *const scope_notes[] = {
    [FOR_ANY] = "",
    [FOR_PROCESSES] = " Not with backend = systemd.",
    [FOR_UNITS] = " Only with backend = systemd.",
};
static const char *const scope_titles[] = {
    [FOR_ANY] = "",
    [FOR_PROCESSES] = "; not with backend = systemd",
    [FOR_UNITS] = "; only with backend = systemd",
};

static void print_field(const struct file_kind *kind, const struct field *f, FILE *to)
{
    CLEANUP(text_deinit) struct text t = {0}, doc = {0};
    const char *fallback = f->fallback_note ? f->fallback_note : f->fallback;

    field_describe(f, &t);
    fprintf(to, "  %-20s %-24s %s\n", f->name, t.data ? t.data : "", fallback ? fallback : "none");
    text_append(&doc, f->doc);
    text_append(&doc, scope_notes[f->scope]);
    if (f->waits)
        text_appendf(&doc, " %s", kind->waits_note);
    print_wrapped(doc.data ? doc.data : f->doc, to);
}

static void print_later(const struct file_kind *kind, const struct section *section, FILE *to)
{
    const char *before = "  not built into this version: ";

    for (size_t i = 0; i < kind->field_count; i++) {
        if (!kind->fields[i].later || strcmp(kind->fields[i].section, section->name) != 0)
            continue;
        fprintf(to, "%s%s", before, kind->fields[i].name);
        before = ", ";
    }
    if (before[0] == ',')
        putc('\n', to);
}

static void print_section(const struct file_kind *kind, const struct section *section, FILE *to)
{
    fprintf(to, "\n[%s]  %s%s\n", section->name, section->doc, scope_titles[section->scope]);
    for (size_t i = 0; i < kind->field_count; i++)
        if (!kind->fields[i].later && strcmp(kind->fields[i].section, section->name) == 0)
            print_field(kind, &kind->fields[i], to);
    print_later(kind, section, to);
}

static void print_kind(const struct file_kind *kind, FILE *to)
{
    fprintf(to, "%s\n", kind->title);
    for (size_t i = 0; i < kind->section_count; i++)
        print_section(kind, &kind->sections[i], to);
}

void config_print_help(FILE *to)
{
    fputs("Files are made of [section] and key = value. A # or ; starts a comment only at the\n"
          "start of a line; a line that ends in \\ goes on in the next. Durations are written\n"
          "500ms, 30s, 5m, 2h or 7d, sizes 4096, 64K, 10M or 2G. Behind each key: what it takes,\n"
          "and its default. A reload of the configuration applies what says nothing else.\n\n",
          to);
    print_kind(&supervisor_file, to);
    putc('\n', to);
    print_kind(&service_file, to);
}
