#include "fragments.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

void fragments_deinit(struct fragments *fragments)
{
    for (size_t i = 0; i < fragments->count; i++)
        spec_unref(fragments->items[i].spec);
    free(fragments->items);
    text_deinit(&fragments->rows);
    *fragments = (struct fragments){0};
}

void fragments_begin(struct fragments *fragments, struct fragments_walk *walk)
{
    *walk = (struct fragments_walk){.fragments = fragments};
}

static bool make_room(struct fragments_walk *walk)
{
    size_t capacity = walk->capacity ? walk->capacity * 2 : walk->fragments->count + 8;
    struct fragment *grown;

    if (walk->made.count < walk->capacity)
        return true;
    grown = FAULT(status_fragment) ? NULL : realloc(walk->made.items, capacity * sizeof *grown);
    if (!grown)
        return false;
    walk->made.items = grown;
    walk->capacity = capacity;
    return true;
}

/* The old fragment of this name, or NULL; those before it have gone. */
static const struct fragment *find_old(struct fragments_walk *walk, const char *name)
{
    const struct fragments *old = walk->fragments;

    while (walk->at < old->count) {
        int order = strcmp(old->items[walk->at].spec->name, name);

        if (order > 0)
            break;
        walk->at++;
        if (order == 0)
            return &old->items[walk->at - 1];
    }
    return NULL;
}

static void put_row(struct fragments_walk *walk, const struct service_status *status,
                    uint64_t changed)
{
    const struct fragment *old = find_old(walk, status->spec->name);
    struct text *rows = &walk->made.rows;

    if (old && old->changed == changed) {
        text_append_n(rows, walk->fragments->rows.data + old->begin, old->length);
        return;
    }
    status_json(status, rows);
    walk->written++;
}

void fragments_visit(struct fragments_walk *walk, const struct service_status *status,
                     uint64_t changed)
{
    struct text *rows = &walk->made.rows;
    size_t begin;

    if (walk->failed || !make_room(walk)) {
        walk->failed = true;
        return;
    }
    if (walk->made.count > 0)
        text_append_n(rows, ",", 1);
    begin = rows->len;
    put_row(walk, status, changed);
    walk->made.items[walk->made.count++] = (struct fragment){
        .spec = spec_ref(status->spec),
        .changed = changed,
        .begin = begin,
        .length = rows->len - begin,
    };
    walk->failed = rows->failed;
}

bool fragments_end(struct fragments_walk *walk)
{
    fragments_deinit(walk->fragments);
    text_fit(&walk->made.rows);
    *walk->fragments = walk->made;
    if (walk->failed)
        fragments_deinit(walk->fragments);
    return !walk->failed;
}
