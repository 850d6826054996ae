/* group - the entries of one journal_submit(), copied: written together or withdrawn together.
 * Threads: whoever holds the list it stands in. Ownership: group_finish() calls done and frees. */
#pragma once

#include "base/list.h"
#include "journal/journal.h"

struct group_item {
    bool has_operation, has_service;
    struct operation operation;
    struct service_record service;
};

struct group {
    struct list link;
    int64_t give_up_mono; /* 0: never */
    journal_done *done;
    void *context;
    size_t count;
    struct group_item items[];
};

/* NULL without memory. */
struct group *group_new(const struct journal_entry *entries, size_t count);
void group_free(struct group *group);

/* Tells each of a list, in order, how it ended, and frees it. No lock may be held. */
void group_finish(struct list *groups, int result);

/* Moves those whose time has come to the end of late and gives the nearest time of those that stay,
 * CLOCK_NEVER when none has one. */
int64_t group_take_late(struct list *groups, int64_t now, struct list *late);
