/* group_watch - tells when something has changed in cgroups, one inotify for all of them, and sees
 * the empty ones off.
 * Threads: any may add and remove. Ownership: a struct group_wait lies in what it serves; once
 * removed it is not touched again. */
#pragma once

#include "backend/watcher.h"
#include "base/list.h"

struct group_watch;

struct group_wait {
    struct list link;
    int number;            /* of the inotify watch */
    struct deadline *wake; /* set to now at each change */
    bool added;
};

int group_watch_new(struct watcher *watcher, struct group_watch **ret_watch, struct error *err);
void group_watch_free(struct group_watch *watch); /* NULL is fine */

/* path: the group. The caller looks at it after this, for what has changed before. */
int group_watch_add(struct group_watch *watch, struct group_wait *wait, const char *path,
                    struct deadline *wake, struct error *err);
void group_watch_remove(struct group_watch *watch, struct group_wait *wait);

/* Removes an empty group; one that is still busy is tried again with the next. */
void group_watch_discard(struct group_watch *watch, const char *path);
