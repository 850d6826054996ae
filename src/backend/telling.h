/* telling - the events of an instance, each told at most once and never out of order.
 * Threads: the watcher's alone. Ownership: nothing is kept. */
#pragma once

#include "process_instance.h"

void tell_started(struct process_instance *p);
void tell_start_error(struct process_instance *p, const char *detail);
void tell_ready(struct process_instance *p);
void tell_reloaded(struct process_instance *p, struct exit_cause cause, const char *detail);
void tell_main_exited(struct process_instance *p, struct exit_cause cause);
/* Removes its group, if that is empty: whether it was, and had no groups below. */
bool tell_remove_group(struct process_instance *p);
/* Its group, which is empty, is removed before. */
void tell_tree_gone(struct process_instance *p);
/* Both at once: the main process was the last. */
void tell_all_ended(struct process_instance *p, struct exit_cause cause);
