/* turn - what a service does when a worker has taken it: read the mail, ask the machine, act, begin
 * the next operation, publish.
 *
 * Nothing in a turn waits: for a commit, for output, for a dependency it parks, and mail brings the
 * news. No lock is held while anything is done.
 * Threads: one worker at a time has a service, the run queue sees to that. */
#pragma once

#include "service.h"

/* What a worker does with a service's run item. */
void turn_run(struct run_item *item);

/* turn.c: one event through the machine, and everything that follows from it. */
void turn_step(struct service *service, struct machine_event event);

/* make_way.c: ends what an accepted stop, or an operation that replaces, pushes aside. */
void make_way(struct service *service);

/* begin.c: begins operations until one runs, waits, or none is left. */
void begin_operations(struct service *service);
/* The beginning of the active operation is in the journal: it may act now. */
void begin_committed(struct service *service);

/* finish.c: the end that the step brings, into the mark: before anything else is done about it, so
 * that a daemon which dies now does not leave the operation to be begun again. finish_active()
 * follows. */
void finish_mark(struct service *service, const struct step *step);
/* The active operation ends as the step says; with its last lines where it failed. */
void finish_active(struct service *service, const struct step *step);
/* The lines are there, or will not come (lines NULL). */
void finish_with_output(struct service *service, struct string_list *lines);
/* The active operation ends without ever having reached the machine. */
void finish_before_machine(struct service *service, enum operation_state state, const char *detail);

/* One that waited, and was taken out of the queue. */
void finish_superseded(struct service *service, struct op *op, const char *detail);

/* It was done before the last daemon ended; only its end had not been written down. */
void finish_done_before(struct service *service);

/* act.c: what the machine asks for. */
bool act_spawn(struct service *service);   /* false: there is no instance, start_error says why */
bool act_restart(struct service *service); /* of a unit; as act_spawn() */
void act_signal(struct service *service);  /* the stop signal; of a unit: its stop */
void act_prepare(struct service *service); /* makes the next instance ahead, as far as it can be */
void act_forget_standby(struct service *service); /* what was made ahead is not wanted */
/* The reload or signal that is active: true: EVENT_RELOADED will come; else *ret_well is its. */
bool act_reload(struct service *service, bool *ret_well);
void act_kill_reload(struct service *service);
void act_kill(struct service *service);
void act_state_deadline(struct service *service, enum state_deadline deadline);
void act_operation_deadline(struct service *service, int64_t due_mono); /* 0: none */

/* unit.c: begins to watch the unit, if the service is one and nobody does yet. */
void unit_watch(struct service *service);
void unit_forget(struct service *service); /* and all that was seen of it */
void unit_let_go(struct service *service); /* of what was seen */
void unit_take_seen(struct service *service, struct unit_seen *seen); /* which is its own then */
void unit_take_job(struct service *service, struct mail *mail, struct enclosure *in);
/* A new specification makes it a unit, or another one, or none any more. False: it cannot be now.
 */
bool unit_take_spec(struct service *service, const struct service_spec *spec);

/* publish.c */
void publish_mark(struct service *service);
void publish(struct service *service);
/* The service's record as the journal is to have it; true: it differs from what was written. */
bool publish_record(struct service *service, struct service_record *ret_record);
