#include "expand.h"

#include "registry.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct search {
    const struct request_item *item;
    struct targets *targets;
    size_t most;
    int result;
};

static int add(struct targets *targets, struct service *s, const struct request_item *item,
               size_t most)
{
    struct target *grown;

    if (targets->count >= most)
        return -E2BIG;
    grown = realloc(targets->items, (targets->count + 1) * sizeof *grown);
    if (!grown)
        return -ENOMEM;
    targets->items = grown;
    grown[targets->count] = (struct target){s, item};
    targets->count++;
    return 0;
}

static bool is_pattern(const char *text)
{
    return text[0] == '@' || strpbrk(text, "*?[");
}

static void match(struct service *s, void *context) REQUIRES(registry_lock_class)
{
    struct search *search = context;
    const char *pattern = search->item->service;

    if (s->removed || !s->known || search->result < 0)
        return;
    if (pattern[0] == '@' ? string_list_has(&s->latest->tags, pattern + 1)
                          : fnmatch(pattern, s->name, 0) == 0)
        search->result = add(search->targets, s, search->item, search->most);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct target *)a)->service->name,
                  ((const struct target *)b)->service->name);
}

static int expand_pattern(struct registry *registry, struct search *search)
{
    struct targets *targets = search->targets;
    size_t first = targets->count;

    registry_lock(registry);
    registry_each(registry, match, search);
    registry_unlock(registry);
    if (search->result < 0)
        return search->result;
    if (targets->count == first)
        return -ENOENT;
    qsort(targets->items + first, targets->count - first, sizeof *targets->items, by_name);
    return 0;
}

static int expand_item(struct registry *registry, const struct request *request, size_t i,
                       size_t most, struct targets *targets)
{
    const struct request_item *item = &request->items[i];
    struct service *s;

    if (request->batch && is_pattern(item->service))
        return expand_pattern(registry, &(struct search){item, targets, most, 0});
    s = registry_find(registry, item->service);
    return s ? add(targets, s, item, most) : -ENOENT;
}

int expand(struct registry *registry, const struct request *request, size_t most,
           struct targets *ret_targets, const char **ret_unknown)
{
    struct targets targets = {0};
    int result = 0;

    for (size_t i = 0; i < request->count && result == 0; i++) {
        *ret_unknown = request->items[i].service;
        result = expand_item(registry, request, i, most, &targets);
    }
    if (result < 0) {
        free(targets.items);
        return result;
    }
    *ret_targets = targets;
    return 0;
}
