/* trouble - what keeps a service's output from being kept, told once each time it changes.
 * Threads: the logs' thread only. Ownership: none. */
#pragma once

#include "state.h"

/* Puts together what the channels' own fields say; true: trouble_tell() is due. */
bool trouble_refresh(struct log *log) REQUIRES(logs_lock_class);
void trouble_tell(struct log *log) EXCLUDES(logs_lock_class);
/* Both, after one of the fields was set. */
void trouble_update(struct log *log) EXCLUDES(logs_lock_class);
