#include "field.h"

#include "base/nearest.h"
#include "base/units.h"

#include <string.h>

int section_find(const struct file_kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->section_count; i++)
        if (strcmp(kind->sections[i].name, name) == 0)
            return (int)i;
    return -1;
}

int field_find(const struct file_kind *kind, const char *section, const char *name)
{
    for (size_t i = 0; i < kind->field_count; i++)
        if (strcmp(kind->fields[i].name, name) == 0 &&
            strcmp(kind->fields[i].section, section) == 0)
            return (int)i;
    return -1;
}

enum scope field_scope(const struct file_kind *kind, const struct field *field)
{
    int section = section_find(kind, field->section);

    return field->scope != FOR_ANY ? field->scope : kind->sections[section].scope;
}

static void append_range(const struct field *f, const char *from, struct text *t)
{
    char min[UNITS_TEXT_SIZE], max[UNITS_TEXT_SIZE];

    if (!f->type->format || f->min == f->max)
        return;
    f->type->format(f->min, min);
    f->type->format(f->max, max);
    text_appendf(t, ", %s%s to %s", from, min, max);
}

static void append_choices(const struct choice *choices, const char *between, const char *last,
                           struct text *t)
{
    size_t count = 0, n = 0;

    for (const struct choice *c = choices; c->word; c++)
        count += !c->later;
    for (const struct choice *c = choices; c->word; c++) {
        if (c->later)
            continue;
        if (n > 0)
            text_append(t, n + 1 == count ? last : between);
        text_append(t, c->word);
        n++;
    }
}

void field_expects(const struct field *f, struct text *t)
{
    if (f->choices) {
        append_choices(f->choices, ", ", " or ", t);
        return;
    }
    text_append(t, f->type->expects);
    append_range(f, "from ", t);
}

void field_describe(const struct field *f, struct text *t)
{
    if (f->choices) {
        append_choices(f->choices, "|", "|", t);
        return;
    }
    text_append(t, f->type->name);
    append_range(f, "", t);
}

void section_suggest(const struct file_kind *kind, const char *typed, struct text *t)
{
    struct nearest best = {.typed = typed};

    for (size_t i = 0; i < kind->section_count; i++)
        if (!kind->sections[i].later)
            nearest_offer(&best, kind->sections[i].name);
    if (best.word)
        text_appendf(t, "; did you mean [%s]?", best.word);
}

static bool suggest_sections(const struct file_kind *kind, const char *typed, struct text *t)
{
    bool found = false;

    for (size_t i = 0; i < kind->field_count; i++) {
        if (strcmp(kind->fields[i].name, typed) != 0 || kind->fields[i].later)
            continue;
        text_appendf(t, "%s [%s]", found ? " or" : "; it belongs in", kind->fields[i].section);
        found = true;
    }
    return found;
}

void field_suggest(const struct file_kind *kind, const char *section, const char *typed,
                   struct text *t)
{
    struct nearest here = {.typed = typed}, anywhere = here;

    if (suggest_sections(kind, typed, t))
        return;
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct field *f = &kind->fields[i];

        if (f->later)
            continue;
        nearest_offer(strcmp(f->section, section) == 0 ? &here : &anywhere, f->name);
    }
    if (here.word) {
        text_appendf(t, "; did you mean \"%s\"?", here.word);
    } else if (anywhere.word) {
        text_appendf(t, "; did you mean \"%s\"", anywhere.word);
        suggest_sections(kind, anywhere.word, t);
        text_append(t, "?");
    }
}
