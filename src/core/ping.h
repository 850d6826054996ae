/* ping - is anybody at work? A deadline that passes now, then a turn on the run queue.
 * Threads: any may ask; `lock` guards the counts. Ownership: lies in the supervisor. */
#pragma once

#include "backend/watcher.h"
#include "base/lock.h"
#include "run_queue.h"

extern struct lock_class ping_lock_class;

struct ping {
    struct lock lock;
    struct cond answered;
    struct watcher *watcher;
    struct run_queue *queue;
    struct deadline deadline;
    struct run_item item;
    bool asked GUARDED_BY(ping_lock_class);
    uint64_t answers GUARDED_BY(ping_lock_class);
};

void ping_init(struct ping *ping, struct watcher *watcher, struct run_queue *queue);
/* After the watcher and the workers have ended. */
void ping_deinit(struct ping *ping);
/* Waits for the answer until until_mono; false: there was none. */
bool ping_ask(struct ping *ping, int64_t until_mono) EXCLUDES(ping_lock_class);
