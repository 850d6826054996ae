/* op_queue - the operations that wait for one service, in the order they were accepted.
 * Threads: none of its own; the owning service's lock guards every call.
 * Ownership: a pushed op brings a reference, which a removed one takes along; so does one that
 * joins another. */
#pragma once

#include "op.h"

#include <stddef.h>

struct op_queue {
    struct list ops;
    unsigned length; /* all of them */
    unsigned people; /* those that people asked for: only they count against the limits */
};

void op_queue_init(struct op_queue *queue);
void op_queue_push(struct op_queue *queue, struct op *op);
/* Those that joined it stay with it. */
void op_queue_remove(struct op_queue *queue, struct op *op);
struct op *op_queue_head(const struct op_queue *queue); /* NULL: empty; stays in */
/* How many stand before it, or before the one that it joined. */
int op_queue_position(const struct op_queue *queue, const struct op *op);

/* ---- joining ---- */

/* The last in line, when it is a person's, does the same as op and can be joined; else NULL. */
struct op *op_queue_joinable(const struct op_queue *queue, const struct op *op);
void op_join(struct op *target, struct op *op);
/* Leaves the one that it joined, with its reference; false: it stands in none. */
bool op_leave(struct op *op);
/* Removes op; the first that joined it takes its place, and the others join that one. */
void op_queue_promote(struct op_queue *queue, struct op *op);
/* Those that joined op and whose acceptance is still on its way get places of their own behind it.
 */
void op_queue_part(struct op_queue *queue, struct op *op);
/* Whether it and all that joined it may begin. */
bool op_all_committed(const struct op *op);

/* ---- looking ---- */

/* The automatic start that waits, or NULL: there is at most one. */
struct op *op_queue_automatic_start(const struct op_queue *queue);
/* Only what is committed may be ended: a row that is on its way to the journal would come after the
 * end. NULL: none. */
struct op *op_queue_first_committed(const struct op_queue *queue);
/* Whether a stop that people asked for waits and may run. */
bool op_queue_stop_waits(const struct op_queue *queue);
/* The last committed one that replaces all before it; NULL: none. */
struct op *op_queue_replacer(const struct op_queue *queue);
/* What the goal will be once all has run; -1: what waits does not touch it. */
int op_queue_goal(const struct op_queue *queue);
/* The goal that the action sets; -1: none. */
int action_goal(enum action action);
