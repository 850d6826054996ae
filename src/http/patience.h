/* patience - how long a peer may take. A connection stands at one stage, and every stage but the
 * daemon's own work ends at an absolute time, however many bytes trickle in meanwhile.
 *
 * libmicrohttpd knows idle time only: one byte a second keeps a connection for ever. Whoever is too
 * slow is shut down from the watcher's thread; libmicrohttpd then finds the connection ended. Whose
 * bytes lie there unread is not too slow, we are: it gets the time of a head once more.
 * Moving on to a later end mostly costs no system call: the one timer may fire too early, never too
 * late, and stands still when nobody has anything to finish.
 *
 * Threads: a guest's stage is its connection's; the rest is for any. `lock` is taken before the
 * watcher's. Ownership: a guest lies in its connection, from patience_admit() to patience_dismiss()
 * with the descriptor open. */
#pragma once

#include "backend/watcher.h"
#include "base/list.h"
#include "base/lock.h"

#include <stdatomic.h>

extern struct lock_class patience_lock_class;

enum stage {
    STAGE_HEAD,   /* from the first byte of a request to the end of its header */
    STAGE_BODY,   /* to the end of its body */
    STAGE_WORK,   /* it is our turn: the time is not the peer's */
    STAGE_ANSWER, /* until the answer is read, or the next piece of one without end */
    STAGE_IDLE,   /* kept alive, up to the end of the next header */
    STAGE_COUNT
};

struct patience {
    struct lock lock;
    struct watcher *watcher;
    const int64_t *within; /* microseconds, for each stage; CLOCK_NEVER: as long as it takes */
    struct deadline deadline;
    _Atomic int64_t armed; /* what the deadline stands at: never after the first guest's end */
    struct list guests GUARDED_BY(patience_lock_class);
    size_t count GUARDED_BY(patience_lock_class);
};

struct guest {
    struct list link;
    struct patience *patience;
    int fd;
    _Atomic int64_t until;
    atomic_bool sends; /* it is its turn to send: at the stages of a head and a body, and idle */
};

void patience_init(struct patience *patience, struct watcher *watcher,
                   const int64_t within[static STAGE_COUNT]);
void patience_deinit(struct patience *patience); /* no guest is left */
/* From now on, at STAGE_HEAD. */
void patience_admit(struct patience *patience, struct guest *guest, int fd)
    EXCLUDES(patience_lock_class);
void patience_dismiss(struct guest *guest) EXCLUDES(patience_lock_class);
/* The time of the stage begins now; STAGE_HEAD only ever shortens what was left. */
void guest_stage(struct guest *guest, enum stage stage) EXCLUDES(patience_lock_class);
