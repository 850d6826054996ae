/* scope - its parts; see backend/scope.h.
 * Threads: any. Ownership: as each says. */
#pragma once

#include "backend/scope.h"
#include "base/own_unit.h"

#include <stdbool.h>
#include <sys/types.h>

/* The beginning of the name of a folder of services' groups, one for each daemon. */
#define PARENT_NAME "orderly-"

/* The group of the scope that goes with the unit whose group this is; NULL: it is no service's, or
 * there is no memory. The caller frees. */
char *scope_beside(const char *group);
/* Whether it is there, is ours to divide, and has processes. */
bool scope_lives(const char *scope);

/* Starts the keeper: nobody's child, waiting at its gate; it ends when the gate is closed first. */
int keeper_start(const char *executor, pid_t *ret_pid, int *ret_gate, struct error *err);
/* Puts it into a group of its own in the scope, for the scope's itself must hold no process when
 * controllers are enabled there, and opens the gate. */
int keeper_settle(const char *scope, pid_t pid, int gate, struct error *err);
bool keeper_lives(const char *scope);
/* Ends it and waits until it has gone. */
void keeper_end(const char *scope);

/* Asks the manager for the scope, with this process in it, and waits until it is there. */
int scope_make(const struct own_unit *unit, pid_t pid, struct error *err);
