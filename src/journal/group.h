/* group - the entries of one journal_submit(), copied: written together or withdrawn together.
 * Threads: whoever holds the list it stands in. Ownership: group_finish() calls done and frees. */
#pragma once

#include "base/list.h"
#include "journal/journal.h"

struct group_item {
    bool has_operation, has_service, has_key, has_events;
    struct operation operation;
    struct service_record service;
    struct journal_key key;       /* its texts are the group's */
    struct journal_events events; /* and so is its text */
};

struct group {
    struct list link;
    int64_t give_up_mono; /* 0: never */
    journal_done *done;
    void *context;
    bool essential; /* may have the reserve */
    bool keyed;     /* an item has a key */
    bool later;     /* nobody waits for it yet */
    bool light;     /* nothing but events: the first to be let go */
    int refusal;    /* 0, or why it was left out of a transaction that succeeded */
    size_t count;
    struct group_item items[];
};

/* NULL without memory. */
struct group *group_new(const struct journal_entry *entries, size_t count);
void group_free(struct group *group);

/* Tells each of a list, in order, how it ended, and frees it. No lock may be held. A result of 0
 * is for those that have no refusal of their own. */
void group_finish(struct list *groups, int result);

/* Whether somebody waits for one of them. */
bool group_any_pressing(const struct list *groups);

/* Moves those that may not have the reserve to the end of plain. What is never given up may: it
 * must not be overtaken by what comes later of the same operation. Events may not. */
void group_take_plain(struct list *groups, struct list *plain);

/* Moves the oldest to the end of excess, events before all others, until at most so many stay. */
void group_take_excess(struct list *groups, size_t most, struct list *excess);

/* Moves those whose time has come to the end of late and gives the nearest time of those that stay,
 * CLOCK_NEVER when none has one. */
int64_t group_take_late(struct list *groups, int64_t now, struct list *late);
