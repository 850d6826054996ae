/* capture - from the FIFO to the file, and from one file to the next.
 * Threads: the logs' thread only. Ownership: none. */
#pragma once

#include "state.h"

#define CAPTURE_MAX (256 * 1024) /* of one service at a time, for the sake of the others */

/* One portion. A log that can't be written is paused. */
void capture_ready(struct log *log);
/* What the FIFO holds at this moment, not what is written meanwhile. -errno: some is left. */
int capture_drain(struct log *log);

/* Paused logs whose time has come are watched again. */
void capture_retry(struct logs *logs, int64_t now);
int64_t capture_next_retry(const struct logs *logs); /* CLOCK_NEVER: none is paused */
