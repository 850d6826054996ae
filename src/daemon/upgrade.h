/* upgrade - the daemon becomes the program that now stands in its own file: same pid, same
 * children, the same sockets and locks.
 * Threads: main's; upgrade_check() any. */
#pragma once

#include "base/handover.h"

/* The file that we were started from, as it is named then: found at the start, for afterwards it
 * may have been replaced. The caller frees; NULL: unknown. */
char *upgrade_program(void);

/* Whether that file can be executed and says its version within 5 s. 0 or -errno. */
int upgrade_check(const char *program, struct error *err);

/* What an earlier program left for us; the environment is cleared of it. */
void upgrade_inherit(struct handover *handover);

/* Returns only when it could not be done; handover is as it was. */
int upgrade_exec(const char *program, char **argv, const struct handover *handover,
                 struct error *err);
