/* own_job - what the service manager wants of our own unit, when it has sent us SIGTERM.
 * Threads: any; takes two seconds at most. */
#pragma once

#include <stdbool.h>

/* Whether the unit is being restarted: false too where we are in no unit, and where nobody answers.
 */
bool own_job_is_restart(void);
