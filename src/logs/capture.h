/* capture - what comes out of a FIFO, brought wherever the service's target says.
 * Threads: the logs' thread only. Ownership: none. */
#pragma once

#include "state.h"

/* One portion. A channel whose bytes can't be kept is paused, or drops them. */
void capture_ready(struct channel *ch);
/* What the FIFO holds at this moment, not what is written meanwhile. -errno: some is left. */
int capture_drain(struct channel *ch);
/* Its FIFO is looked at again, whatever it has waited for. */
void capture_resume(struct channel *ch);
/* Takes up new settings. */
void capture_apply(struct channel *ch);

/* Channels in trouble whose time has come are tried again. */
void capture_retry(struct logs *logs, int64_t now);
int64_t capture_next_retry(const struct logs *logs); /* CLOCK_NEVER: none is in trouble */
