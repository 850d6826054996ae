/* tail_unit - the last lines of a unit, from the journal, once journald has written them.
 * Threads: the logs' thread only. Ownership: takes the tail. */
#pragma once

struct tail;

/* Answers it, now or after a second at most. */
void tail_unit_answer(struct tail *tail);
