/* tail - the last lines of an instance, for the record of the operation that it failed.
 * Threads: the logs' thread only. Ownership: requests are freed when they have been answered. */
#pragma once

#include "state.h"

/* Answers all that have been asked for; false: there were none. */
bool tail_answer(struct logs *logs) EXCLUDES(logs_lock_class);
