/* watcher - one thread that waits on descriptors and deadlines for everyone else.
 *
 * What became ready is told before deadlines that have passed, so that after a suspend an exit is
 * not mistaken for a timeout. Callbacks run on the watcher's thread, without any lock held; they
 * must be short and must not block: they post mail.
 *
 * Threads: any may add and remove. Ownership: struct watch and struct deadline lie in what they
 * serve; they may be freed once removed (removing waits for a callback of it that is running,
 * except on the watcher's own thread). */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watcher;

int watcher_start(struct watcher **ret_watcher, struct error *err);
void watcher_stop(struct watcher *watcher); /* joins the thread; NULL is fine */

struct watch {
    void (*ready)(struct watch *watch, uint32_t events); /* set before watcher_add() */
    int fd;
    bool added;
};

/* events as of epoll(7). */
int watcher_add(struct watcher *watcher, struct watch *watch, int fd, uint32_t events,
                struct error *err);
/* Before the descriptor is closed, always: another process's copy would keep it in the epoll.
 * A watch that was not added is left alone. */
void watcher_remove(struct watcher *watcher, struct watch *watch);

struct deadline {
    void (*passed)(struct deadline *deadline); /* set before the first watcher_set() */
    int64_t at_mono;
    size_t place; /* in the heap, from 1; 0: not set */
};

/* Fires once at at_mono (clock_mono_us()); setting again moves it. */
void watcher_set(struct watcher *watcher, struct deadline *deadline, int64_t at_mono);
void watcher_clear(struct watcher *watcher, struct deadline *deadline);
