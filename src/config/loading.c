#include "loading.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void loading_deinit(struct loading *l)
{
    free(l->who.user);
    free(l->who.home);
    free(l->who.extra);
}

void loading_out_of_memory(struct loading *l)
{
    report_error(l->report, NO_PLACE, NULL, "%s", strerror(ENOMEM));
}

struct place loading_place(const struct loading *l, const char *section, const char *name)
{
    return l->places[field_find(l->kind, section, name)];
}

bool loading_refused(const struct loading *l, const char *section, const char *name)
{
    return l->refused[field_find(l->kind, section, name)];
}

void *setting_target(const struct setting *s)
{
    return (char *)s->loading->record + s->field->offset;
}

struct place setting_place(const struct setting *s, size_t at)
{
    return s->reader ? reader_place(s->reader, s->offset + at) : NO_PLACE;
}

void setting_refuse(const struct setting *s, size_t at, const char *format, ...)
{
    CLEANUP(freep) char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) < 0)
        message = NULL;
    va_end(arguments);
    report_error(s->loading->report, setting_place(s, at), s->field->name, "%s",
                 message ? message : strerror(ENOMEM));
}

void setting_expected(const struct setting *s)
{
    CLEANUP(text_deinit) struct text t = {0};

    field_expects(s->field, &t);
    setting_refuse(s, 0, "expected %s; got %s", t.data ? t.data : "something else",
                   QUOTED(s->text));
}

void setting_put_string(const struct setting *s, char *string)
{
    char **target = setting_target(s);

    if (!string) {
        loading_out_of_memory(s->loading);
        return;
    }
    free(*target);
    *target = string;
}

/* ---- reading ---- */

static void unknown_section(struct loading *l, const struct item *item)
{
    CLEANUP(text_deinit) struct text t = {0};

    section_suggest(l->kind, item->name, &t);
    report_error(l->report, item->at, NULL, "there is no section [%s]%s", SHORTENED(item->name),
                 t.data ? t.data : "");
}

/* The section's index; -1: what stands in it is not looked at. */
static int enter_section(struct loading *l, const struct item *item)
{
    int index = item->name ? section_find(l->kind, item->name) : -1;
    const struct section *section = index >= 0 ? &l->kind->sections[index] : NULL;

    if (!section) {
        l->report->unclear = true; /* what stands below it is not looked at */
        if (item->name && *item->name)
            unknown_section(l, item);
        else if (item->name)
            report_error(l->report, item->at, NULL, "a section needs a name: [name]");
        return -1;
    }
    if (l->sections[index].line > 0) {
        report_error(l->report, item->at, NULL, "section [%s] stands twice; it began in line %d",
                     section->name, l->sections[index].line);
        return index;
    }
    l->sections[index] = item->at;
    if (!section->later)
        return index;
    report_error(l->report, item->at, NULL, "[%s]: %s not built into this version", section->name,
                 section->later);
    return -1;
}

static void unknown_key(struct loading *l, const char *section, const struct item *item)
{
    CLEANUP(text_deinit) struct text t = {0};

    l->report->unclear = true;
    field_suggest(l->kind, section, item->name, &t);
    report_error(l->report, item->at, SHORTENED(item->name), "there is no such key in [%s]%s",
                 section, t.data ? t.data : "");
}

static void take_value(struct loading *l, const struct reader *r, const struct field *field,
                       const struct item *item)
{
    struct setting setting = {.field = field,
                              .text = item->value,
                              .offset = item->value_offset,
                              .reader = r,
                              .loading = l};

    if (field->later)
        report_error(l->report, item->at, field->name, "%s not built into this version",
                     field->later);
    else if (*item->value == '\0' && !field->type->may_be_empty)
        setting_expected(&setting);
    else
        field->type->set(&setting);
}

static void take_pair(struct loading *l, const struct reader *r, const char *section,
                      const struct item *item)
{
    int index = field_find(l->kind, section, item->name);
    size_t errors = l->report->errors;

    if (index < 0) {
        unknown_key(l, section, item);
        return;
    }
    if (l->places[index].line > 0) {
        report_error(l->report, item->at, item->name, "stands twice; it was set in line %d",
                     l->places[index].line);
        return;
    }
    l->places[index] = reader_place(r, item->value_offset);
    take_value(l, r, &l->kind->fields[index], item);
    l->refused[index] = l->report->errors > errors;
}

static void outside(struct loading *l, const struct item *item)
{
    l->report->unclear = true;
    report_error(l->report, item->at, SHORTENED(item->name),
                 "this key stands before any [section]");
}

void loading_read(struct loading *l, char *text, size_t len)
{
    CLEANUP(reader_deinit) struct reader reader;
    bool any_section = false;
    struct item item;
    int section = -1;

    reader_init(&reader, text, len, l->report);
    while (reader_next(&reader, &item)) {
        if (item.kind == ITEM_SECTION) {
            any_section = true;
            section = enter_section(l, &item);
        } else if (section >= 0) {
            take_pair(l, &reader, l->kind->sections[section].name, &item);
        } else if (!any_section) {
            outside(l, &item);
        }
    }
}

void loading_defaults(struct loading *l)
{
    for (size_t i = 0; i < l->kind->field_count; i++) {
        const struct field *field = &l->kind->fields[i];
        struct setting setting = {.field = field, .text = field->fallback, .loading = l};

        if (!field->later && field->fallback)
            field->type->set(&setting);
    }
}
