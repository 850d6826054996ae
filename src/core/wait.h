/* wait - somebody who wants to be called when something has happened, or at a time.
 *
 * Threads: any. One lock (a leaf) guards every wait; callbacks run without it.
 * Ownership: a wait belongs to the set until its callback has been called, exactly once. */
#pragma once

#include "backend/watcher.h"
#include "base/list.h"
#include "base/lock.h"

#include <stdbool.h>
#include <stdint.h>

extern struct lock_class wait_lock_class;

typedef void wait_callback(void *context);

struct wait_set {
    struct lock lock;
    struct watcher *watcher;
    struct list all GUARDED_BY(wait_lock_class);
    bool released GUARDED_BY(wait_lock_class);
};

void wait_set_init(struct wait_set *set, struct watcher *watcher);
void wait_set_deinit(struct wait_set *set);

/* Adds a wait to the list of what it waits for, until until_mono at most (CLOCK_NEVER: no bound).
 * False: no memory, or everything was released; the caller calls back itself. */
bool wait_set_add(struct wait_set *set, struct list *waiters, int64_t until_mono,
                  wait_callback *callback, void *context) EXCLUDES(wait_lock_class);
/* It has happened: calls all who wait in this list. */
void wait_set_fire(struct wait_set *set, struct list *waiters) EXCLUDES(wait_lock_class);
/* Calls everyone, and refuses every later wait. */
void wait_set_release(struct wait_set *set) EXCLUDES(wait_lock_class);
