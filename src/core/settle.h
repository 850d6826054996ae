/* settle - a reload has answered when what it has told can be seen: every service has had its turn
 * with it.
 * Threads: any. Ownership: nothing is kept; the count and its condition are the host's. */
#pragma once

#include "host.h"

/* One service more has been told. */
void settle_told(struct host *host);
/* It is shown. */
void settle_shown(struct host *host);
/* Waits until all that was told is shown, though not for ever: turns are short. */
void settle_wait(struct host *host);
