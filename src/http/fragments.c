#include "fragments.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

static void fragment_deinit(struct fragment *fragment)
{
    free(fragment->name);
    text_deinit(&fragment->json);
}

static void drop(struct fragment *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fragment_deinit(&items[i]);
    free(items);
}

void fragments_deinit(struct fragments *fragments)
{
    drop(fragments->items, fragments->count);
    *fragments = (struct fragments){0};
}

void fragments_begin(struct fragments *fragments, struct fragments_walk *walk)
{
    *walk = (struct fragments_walk){.fragments = fragments};
}

static bool make_room(struct fragments_walk *walk)
{
    size_t capacity = walk->made_capacity ? walk->made_capacity * 2 : walk->fragments->count + 8;
    struct fragment *grown;

    if (walk->made_count < walk->made_capacity)
        return true;
    grown = FAULT(status_fragment) ? NULL : realloc(walk->made, capacity * sizeof *grown);
    if (!grown)
        return false;
    walk->made = grown;
    walk->made_capacity = capacity;
    return true;
}

/* The old fragment of this name, or an empty one; those before it have gone. */
static struct fragment take_old(struct fragments_walk *walk, const char *name)
{
    struct fragments *old = walk->fragments;
    int order = 1;

    while (walk->at < old->count) {
        order = strcmp(old->items[walk->at].name, name);
        if (order >= 0)
            break;
        fragment_deinit(&old->items[walk->at]);
        old->items[walk->at++] = (struct fragment){0};
    }
    if (order != 0)
        return (struct fragment){0};
    struct fragment found = old->items[walk->at];
    old->items[walk->at++] = (struct fragment){0};
    return found;
}

void fragments_visit(struct fragments_walk *walk, const struct service_status *status,
                     uint64_t changed)
{
    struct fragment fragment;

    if (walk->failed || !make_room(walk)) {
        walk->failed = true;
        return;
    }
    fragment = take_old(walk, status->spec->name);
    if (!fragment.name)
        fragment.name = strdup(status->spec->name);
    if (fragment.changed != changed || !fragment.json.data) {
        text_clear(&fragment.json);
        status_json(status, &fragment.json);
        text_fit(&fragment.json);
        fragment.changed = changed;
        walk->written++;
    }
    walk->failed = !fragment.name || fragment.json.failed;
    walk->made[walk->made_count++] = fragment;
}

bool fragments_end(struct fragments_walk *walk)
{
    struct fragments *fragments = walk->fragments;

    drop(fragments->items, fragments->count);
    *fragments = (struct fragments){walk->made, walk->made_count};
    if (walk->failed)
        fragments_deinit(fragments);
    return !walk->failed;
}
