#include "group.h"

#include "base/clock.h"

#include <stdlib.h>

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
    return 0;
}

struct group *group_new(const struct journal_entry *entries, size_t count)
{
    struct group *group = calloc(1, sizeof *group + count * sizeof *group->items);

    if (!group)
        return NULL;
    list_init(&group->link);
    if (count > 0) {
        group->give_up_mono = entries[0].give_up_mono;
        group->done = entries[0].done;
        group->context = entries[0].context;
    }
    for (; group->count < count; group->count++)
        if (copy_entry(&group->items[group->count], &entries[group->count]) < 0) {
            group_free(group);
            return NULL;
        }
    return group;
}

void group_free(struct group *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->items[i].has_operation)
            operation_deinit(&group->items[i].operation);
    free(group);
}

void group_finish(struct list *groups, int result)
{
    list_for_each_safe(link, groups)
    {
        struct group *group = list_entry(link, struct group, link);

        list_remove(link);
        if (group->done)
            group->done(group->context, result);
        group_free(group);
    }
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
