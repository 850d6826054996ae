/* mapped - reading files through memory that others may cut meanwhile, as journald does with old
 * ones. What is gone would end the whole daemon (SIGBUS): between these two calls it reads as
 * zeros, which the reader must take for a spoiled file.
 *
 * Threads: each for itself; the calls do not nest. A SIGBUS at any other place, or that was sent,
 * does what it does by default.
 * Ownership: none; the pages go with the map that they stand in. */
#pragma once

#include <signal.h>

/* What to go back to. */
struct mapped {
    sigset_t signals;
};

void mapped_begin(struct mapped *mapped);
void mapped_end(const struct mapped *mapped);
