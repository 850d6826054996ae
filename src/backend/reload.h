/* reload - the reload command of an instance: a process of ours beside the main one, in its tree.
 * Threads: a worker begins it, the watcher's thread sees its end; under the instance's lock is what
 * both touch. Ownership: a struct reload, made for the first command, is its instance's. */
#pragma once

#include "process_instance.h"

/* reload of backend_ops. */
int process_reload(struct instance *instance, const struct launch *launch, struct error *err);

/* No callback of it runs after this. */
void reload_end(struct process_instance *p);
void reload_free(struct reload *reload); /* NULL is fine */

/* Watcher's thread: whether one is being begun or runs, so that the tree has not gone; if so,
 * ending_check() is called once it has ended. */
bool reload_holds(struct process_instance *p);
/* SIGKILL to its process group. */
void reload_kill(struct process_instance *p);
