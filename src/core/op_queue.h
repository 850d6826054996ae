/* op_queue - the operations that wait for one service, in the order they were accepted.
 * Threads: none of its own; the owning service's lock guards every call.
 * Ownership: a pushed op brings a reference, which a removed one takes along. */
#pragma once

#include "op.h"

#include <stddef.h>

struct op_queue {
    struct list ops;
    size_t length; /* all of them */
    size_t people; /* those that people asked for: only they count against the limits */
};

void op_queue_init(struct op_queue *queue);
void op_queue_push(struct op_queue *queue, struct op *op);
void op_queue_remove(struct op_queue *queue, struct op *op);
struct op *op_queue_head(const struct op_queue *queue); /* NULL: empty; stays in */
/* How many stand before it. */
int op_queue_position(const struct op_queue *queue, const struct op *op);
/* The automatic start that waits, or NULL: there is at most one. */
struct op *op_queue_automatic_start(const struct op_queue *queue);
/* Only what is committed may be ended: a row that is on its way to the journal would come after the
 * end. NULL: none. */
struct op *op_queue_first_committed(const struct op_queue *queue);
/* Whether a stop that people asked for waits and may run. */
bool op_queue_stop_waits(const struct op_queue *queue);
