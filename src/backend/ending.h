/* ending - finds out when no process of an instance is left. What begins here comes back by the
 * instance's deadline (WAKE_GROUP, WAKE_HUNT) until it is told.
 * Threads: the watcher's alone. Ownership: nothing is kept. */
#pragma once

#include "process_instance.h"

/* The main process has just gone: whether it was the last of its group, which is removed then. Both
 * ends can be told together: the core has one turn for them. */
bool ending_with_main(struct process_instance *p);
/* Once the main process has gone. */
void ending_group(struct process_instance *p);
/* Once the executor that stays has gone: it has said that nothing is left below, or it was killed,
 * and the rest is hunted. */
void ending_executor(struct process_instance *p);
/* Nothing would know of the rest any more, so it is killed, by its marker. */
void ending_hunt(struct process_instance *p);
/* Whichever of the two had come to an end but for a reload command. */
void ending_check(struct process_instance *p);
