/* notify - what the service manager is told of us, where it asks (NOTIFY_SOCKET): that we are
 * ready, reload, stop; how many services there are in which state; and, where it watches over us
 * (WATCHDOG_USEC), that we are at work.
 * Threads: any; one of its own tells what has changed, at most once a second, and asleep while
 * nothing does. Ownership: whoever made it. NULL stands for nobody who asks. */
#pragma once

#include "base/error.h"
#include "core/supervisor.h"

#include <stdbool.h>

struct notify;

/* *ret_notify: NULL when nobody asks. The supervisor must live as long. */
int notify_new(struct supervisor *supervisor, struct notify **ret_notify, struct error *err);
/* After supervisor_release_waits(). */
void notify_free(struct notify *notify);

void notify_ready(struct notify *notify);
/* Before and after a reload, of which there may be several at once. */
void notify_reloading(struct notify *notify, bool begun);
/* It may take so long. */
void notify_stopping(struct notify *notify, int64_t within_us);
