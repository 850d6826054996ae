#include "registry.h"

#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lock_class registry_lock_class;

void registry_lock(struct registry *r) NO_THREAD_SAFETY_CHECK
{
    lock_take(&r->lock);
}

void registry_unlock(struct registry *r) NO_THREAD_SAFETY_CHECK
{
    lock_release(&r->lock);
}

void registry_init(struct registry *r) NO_THREAD_SAFETY_CHECK
{
    *r = (struct registry){0};
    lock_init(&r->lock, LOCK_REGISTRY);
}

void registry_deinit(struct registry *r) NO_THREAD_SAFETY_CHECK
{
    struct service_set refused = {.refused = r->refused, .refused_count = r->refused_count};

    for (size_t i = 0; i < REGISTRY_BUCKETS; i++)
        while (r->buckets[i]) {
            struct service *s = r->buckets[i];

            r->buckets[i] = s->next_in_bucket;
            service_free(s);
        }
    service_set_deinit(&refused);
    problems_deinit(&r->problems);
    lock_deinit(&r->lock);
}

char *registry_refusal_text(const struct refused_service *refused)
{
    char line[16] = "", *text;

    if (refused->line > 0)
        snprintf(line, sizeof line, ":%d", refused->line);
    return asprintf(&text, "%s%s: %s", refused->file, line, refused->message) < 0 ? NULL : text;
}

static size_t bucket(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (const char *c = name; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    return hash % REGISTRY_BUCKETS;
}

void registry_add(struct registry *r, struct service *s)
{
    size_t b = bucket(s->name);

    s->next_in_bucket = r->buckets[b];
    r->buckets[b] = s;
    r->count++;
}

struct service *registry_get(struct registry *r, const char *name)
{
    for (struct service *s = r->buckets[bucket(name)]; s; s = s->next_in_bucket)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

struct service *registry_find(struct registry *r, const char *name)
{
    struct service *s;

    registry_lock(r);
    s = registry_get(r, name);
    if (s && s->removed)
        s = NULL;
    registry_unlock(r);
    return s;
}

bool registry_removed(struct service *s)
{
    struct registry *r = s->host->registry;
    bool removed;

    registry_lock(r);
    removed = s->removed;
    registry_unlock(r);
    return removed;
}

void registry_each(struct registry *r, void (*visit)(struct service *s, void *context),
                   void *context)
{
    for (size_t i = 0; i < REGISTRY_BUCKETS; i++)
        for (struct service *s = r->buckets[i]; s; s = s->next_in_bucket)
            visit(s, context);
}

int registry_all(struct registry *r, struct service ***ret_services, size_t *ret_count)
{
    struct service **services;
    size_t count = 0;

    registry_lock(r);
    services = calloc(r->count + 1, sizeof *services);
    for (size_t i = 0; services && i < REGISTRY_BUCKETS; i++)
        for (struct service *s = r->buckets[i]; s; s = s->next_in_bucket)
            services[count++] = s;
    registry_unlock(r);
    if (!services)
        return -ENOMEM;
    *ret_services = services;
    *ret_count = count;
    return 0;
}

/* ---- dependents ---- */

static int add_dependent(struct service *s, struct service *dependent)
{
    struct service **grown;

    for (size_t i = 0; i < s->dependent_count; i++)
        if (s->dependents[i] == dependent)
            return 0;
    grown = realloc(s->dependents, (s->dependent_count + 1) * sizeof *grown);
    if (!grown)
        return -ENOMEM;
    s->dependents = grown;
    grown[s->dependent_count++] = dependent;
    atomic_store(&s->watched, true);
    return 0;
}

static void forget_dependents(struct service *s, void *context)
{
    (void)context;
    s->dependent_count = 0;
    atomic_store(&s->watched, false);
}

struct link_context {
    struct registry *registry;
    int result;
};

static void link_service(struct service *s, void *context) REQUIRES(registry_lock_class)
{
    struct link_context *c = context;
    const struct string_list *lists[] = {&s->latest->requires, &s->latest->wants,
                                         &s->latest->after};

    if (s->removed)
        return;
    for (size_t l = 0; l < 3; l++)
        for (size_t i = 0; i < lists[l]->count; i++) {
            struct service *on = registry_get(c->registry, lists[l]->items[i]);

            if (on && add_dependent(on, s) < 0)
                c->result = -ENOMEM;
        }
}

int registry_link(struct registry *r)
{
    struct link_context context = {.registry = r};

    registry_each(r, forget_dependents, NULL);
    for (size_t i = 0; i < REGISTRY_BUCKETS; i++)
        for (struct service *s = r->buckets[i]; s; s = s->next_in_bucket)
            link_service(s, &context);
    return context.result;
}

void registry_notify_dependents(struct registry *r, struct service *s)
{
    if (!atomic_load(&s->watched))
        return;
    registry_lock(r);
    for (size_t i = 0; i < s->dependent_count; i++)
        service_post(s->dependents[i], MAIL_LOOK);
    registry_unlock(r);
}
