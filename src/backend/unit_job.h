/* unit_job - what is asked of a unit, from the order to its end.
 *
 *   WAITING --the bus is there--> CALLED --answer--> STANDING --JobRemoved--> ENDED --read--> told
 *      |                            |                   |
 *      | patience ends              | error             | connection or manager lost
 *      v                            v                   v
 *     told                       REFUSED               LOST --read--> STANDING again, or told
 *
 * Threads: the bus thread's. */
#pragma once

#include "systemd_backend.h"

/* What was under way before is void. */
void job_begin(struct unit *u, const struct unit_order *order);
/* It will not be told; what is not with systemd never will be; a reload is cancelled. */
void job_forget(struct unit *u);
void job_drop(struct unit *u); /* the unit goes */
/* SIGKILL to everything of it: no order, and nothing comes of it. */
void job_kill(struct unit *u);

/* The connection or the manager on it is gone. */
void job_disconnected(struct unit *u);
void job_removed(struct unit *u, const char *path, const char *unit, const char *result);
/* Whether it is with systemd, or on its way there. */
bool job_stands(const struct unit *u);
/* The unit has been read, by a read that began after everything that is known of the job. */
void job_judge(struct unit *u);
void job_pass_time(struct unit *u, int64_t now);
int64_t job_next_time(const struct unit *u);

/* job_end.c's: it is told, and nothing is under way any more; text: "" or NULL when there is
 * nothing to add. */
void job_tell(struct unit *u, bool well, const char *text);
/* It was found to be with systemd still. */
void job_still_stands(struct unit *u, const char *path);
