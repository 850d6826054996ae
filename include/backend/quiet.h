/* quiet - tells once when nothing has been done for a while, so that what only serves to be quick
 * can be given back.
 *
 * Threads: any may stir; fell() runs on the watcher's thread, and must be short.
 * Ownership: it lies in what it serves. */
#pragma once

#include "backend/watcher.h"

#include <stdatomic.h>

enum quiet_state {
    QUIET_FELL,    /* and nothing has been done since: no deadline is set */
    QUIET_FALLING, /* nothing has been done since the deadline was set */
    QUIET_STIRRED,
};

struct quiet {
    struct watcher *watcher;
    struct deadline deadline;
    _Atomic(enum quiet_state) state;
    int64_t after_us;
    atomic_uint stirs;
    void (*fell)(struct quiet *quiet, unsigned stirs);
};

/* It falls quiet when nothing has been done for between after_us and twice that; stirs: how often
 * something was since it fell last. */
void quiet_init(struct quiet *quiet, struct watcher *watcher, int64_t after_us,
                void (*fell)(struct quiet *quiet, unsigned stirs));
/* After it fell() does not run, nor will: nobody may stir any more. */
void quiet_deinit(struct quiet *quiet);
/* Something is done: cheap while it goes on. */
void quiet_stir(struct quiet *quiet);
