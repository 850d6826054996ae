/* compress - a thread of low priority that packs old files, one at a time; it begins when there is
 * the first one, and sleeps while there is none. It writes to a name of its own; all renaming is
 * done by the logs' thread, between two rotations.
 *
 * Threads: as each says. Ownership: none. */
#pragma once

#include "state.h"

void compress_init(struct logs *logs);   /* before and */
void compress_deinit(struct logs *logs); /* after all threads */

/* The logs' thread: there may be files of the channel to pack. */
void compress_want(struct channel *ch) EXCLUDES(logs_lock_class);
/* The logs' thread: puts what has been packed into its place. */
void compress_settle(struct logs *logs) EXCLUDES(logs_lock_class);
/* After logs->stopping was set and the logs' thread has ended. */
void compress_stop(struct logs *logs) EXCLUDES(logs_lock_class);
