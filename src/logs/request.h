/* request - rotations that were asked for.
 * Threads: the logs' thread only. Ownership: requests are freed when they have been answered. */
#pragma once

#include "state.h"

/* Answers all that have been asked for; false: there were none. */
bool request_answer(struct logs *logs) EXCLUDES(logs_lock_class);
