/* reports - what the executor says through its socket, and the service through its readiness FIFO.
 * Threads: the watcher's alone. Ownership: what has been said in full is closed. */
#pragma once

#include "process_instance.h"

/* final: the executor has ended, so that what it has said is all there. */
void take_reports(struct process_instance *p, bool final);
void take_ready(struct process_instance *p);
/* Takes pid for the main process: opens it, if it is a child of the executor, and writes it down.
 */
bool take_main(struct process_instance *p, pid_t pid);
