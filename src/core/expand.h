/* expand - what a request asks of which service: names, and in a batch globs and "@tag".
 * Threads: any. Ownership: the caller frees targets.items. */
#pragma once

#include "core/supervisor.h"

struct registry;
struct service;

struct target {
    struct service *service;
    const struct request_item *item;
};

struct targets {
    struct target *items;
    size_t count;
};

/* In the order asked, what a pattern stands for by name. 0; -ENOENT: *ret_unknown matches nothing;
 * -E2BIG: more than most; -ENOMEM. */
int expand(struct registry *registry, const struct request *request, size_t most,
           struct targets *ret_targets, const char **ret_unknown);
