/* boot - what the daemon's first moments wait for.
 * Threads: any. */
#pragma once

#include "host.h"

/* The first sight of a unit that was counted has come. */
void boot_unit_seen(struct host *host);
/* Waits for all of them, for so long at most. */
void boot_wait_units(struct host *host);
