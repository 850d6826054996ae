#include "group.h"

#include "base/clock.h"
#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

static int copy_key(struct group_item *item, const struct journal_key *key)
{
    char *identity = strdup(key->identity), *word = strdup(key->key);
    char *request = strdup(key->request);

    item->key = *key;
    item->key.identity = identity;
    item->key.key = word;
    item->key.request = request;
    item->has_key = true;
    return identity && word && request ? 0 : -1;
}

static int copy_events(struct group_item *item, const struct journal_events *events)
{
    char *text = strdup(events->text);

    item->events = *events;
    item->events.text = text;
    item->has_events = true;
    return text ? 0 : -1;
}

static int copy_entry(struct group_item *item, const struct journal_entry *entry)
{
    if (entry->operation) {
        if (operation_copy(&item->operation, entry->operation) < 0)
            return -1;
        item->has_operation = true;
    }
    if (entry->service) {
        item->service = *entry->service;
        item->has_service = true;
    }
    if (entry->events && copy_events(item, entry->events) < 0)
        return -1;
    return entry->key ? copy_key(item, entry->key) : 0;
}

struct group *group_new(const struct journal_entry *entries, size_t count)
{
    struct group *group =
        FAULT(journal_group) ? NULL : calloc(1, sizeof *group + count * sizeof *group->items);

    if (!group)
        return NULL;
    list_init(&group->link);
    group->light = count > 0;
    if (count > 0) {
        group->later = entries[0].later;
        group->give_up_mono = entries[0].give_up_mono;
        group->done = entries[0].done;
        group->context = entries[0].context;
    }
    while (group->count < count) {
        const struct journal_entry *entry = &entries[group->count];

        group->essential = group->essential || entry->essential;
        group->keyed = group->keyed || entry->key;
        group->light =
            group->light && entry->events && !entry->operation && !entry->service && !entry->key;
        if (copy_entry(&group->items[group->count++], entry) < 0) {
            group_free(group);
            return NULL;
        }
    }
    return group;
}

void group_free(struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        struct group_item *item = &group->items[i];

        if (item->has_operation)
            operation_deinit(&item->operation);
        free((char *)item->key.identity);
        free((char *)item->key.key);
        free((char *)item->key.request);
        free((char *)item->events.text);
    }
    free(group);
}

void group_finish(struct list *groups, int result)
{
    list_for_each_safe(link, groups)
    {
        struct group *group = list_entry(link, struct group, link);

        list_remove(link);
        if (group->done)
            group->done(group->context, result == 0 ? group->refusal : result);
        group_free(group);
    }
}

bool group_any_pressing(const struct list *groups)
{
    list_for_each(link, groups) if (!list_entry(link, struct group, link)->later) return true;
    return false;
}

void group_take_plain(struct list *groups, struct list *plain)
{
    list_for_each_safe(link, groups)
    {
        struct group *group = list_entry(link, struct group, link);

        if (!group->light && (group->essential || group->give_up_mono == 0))
            continue;
        list_remove(link);
        list_append(plain, link);
    }
}

/* How many of the oldest were moved. */
static size_t take_oldest(struct list *groups, size_t most, bool light, struct list *excess)
{
    size_t taken = 0;

    list_for_each_safe(link, groups)
    {
        if (taken == most)
            break;
        if (light && !list_entry(link, struct group, link)->light)
            continue;
        list_remove(link);
        list_append(excess, link);
        taken++;
    }
    return taken;
}

void group_take_excess(struct list *groups, size_t most, struct list *excess)
{
    size_t count = 0;

    list_for_each(link, groups) count++;
    count = count > most ? count - most : 0;
    count -= take_oldest(groups, count, true, excess);
    take_oldest(groups, count, false, excess);
}

int64_t group_take_late(struct list *groups, int64_t now, struct list *late)
{
    int64_t nearest = CLOCK_NEVER;

    list_for_each_safe(link, groups)
    {
        struct group *group = list_entry(link, struct group, link);

        if (group->give_up_mono == 0)
            continue;
        if (group->give_up_mono <= now) {
            list_remove(link);
            list_append(late, link);
        } else if (group->give_up_mono < nearest) {
            nearest = group->give_up_mono;
        }
    }
    return nearest;
}
