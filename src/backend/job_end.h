/* job_end - what became of an order, from what the unit is now that it has been read again.
 * Threads: the bus thread's. */
#pragma once

#include "systemd_backend.h"

/* JOB_ENDED: told, unless more has to be asked first. */
void job_end(struct unit *u);
/* It is time to look at its main process again. */
void job_look(struct unit *u);
/* JOB_LOST: it is found standing still, or told. */
void job_find(struct unit *u);
