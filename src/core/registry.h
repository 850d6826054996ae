/* registry - every service there is, by name, and who depends on whom.
 *
 * Threads: any; the registry's lock comes before a service's. Services are never freed before the
 * registry, so a found one stays valid. Ownership: the registry owns the services. */
#pragma once

#include "base/lock.h"
#include "config/config.h"
#include "service.h"

extern struct lock_class registry_lock_class;

#define REGISTRY_BUCKETS 4096

struct registry {
    struct lock lock;
    struct service *buckets[REGISTRY_BUCKETS] GUARDED_BY(registry_lock_class);
    size_t count GUARDED_BY(registry_lock_class);
    /* Files that were refused, of services that are not there for it. */
    struct refused_service *refused GUARDED_BY(registry_lock_class);
    size_t refused_count GUARDED_BY(registry_lock_class);
    struct problems problems GUARDED_BY(registry_lock_class); /* errors only */
};

/* "file:line: message", without the line where the whole file is meant. The caller frees; NULL
 * without memory. */
char *registry_refusal_text(const struct refused_service *refused);

void registry_init(struct registry *registry);
void registry_deinit(struct registry *registry);
void registry_lock(struct registry *registry) ACQUIRE(registry_lock_class);
void registry_unlock(struct registry *registry) RELEASE(registry_lock_class);

void registry_add(struct registry *registry, struct service *service) REQUIRES(registry_lock_class);
/* Removed ones too; NULL: never heard of. */
struct service *registry_get(struct registry *registry, const char *name)
    REQUIRES(registry_lock_class);
/* Only what is there now. */
struct service *registry_find(struct registry *registry, const char *name)
    EXCLUDES(registry_lock_class);
/* Whether its file has gone. */
bool registry_removed(struct service *service) EXCLUDES(registry_lock_class);
/* Calls visit for each, removed ones included, under the registry's lock. */
void registry_each(struct registry *registry, void (*visit)(struct service *s, void *context),
                   void *context) REQUIRES(registry_lock_class);
/* All of them, removed ones included, for what is not done under the lock; the caller frees the
 * array. 0 or -ENOMEM. */
int registry_all(struct registry *registry, struct service ***ret_services, size_t *ret_count)
    EXCLUDES(registry_lock_class);
/* Works out dependents anew from every service's latest specification. 0 or -ENOMEM. */
int registry_link(struct registry *registry) REQUIRES(registry_lock_class);
/* Tells those that depend on service to look again. */
void registry_notify_dependents(struct registry *registry, struct service *service)
    EXCLUDES(registry_lock_class);
