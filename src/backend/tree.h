/* tree - the processes of an instance where no cgroup holds them: those below its executor, and
 * those that carry its marker in their environment. /proc is read, so what forks and changes its
 * session without pause, or cleans its environment, may be missed; stopping before killing makes
 * that window small.
 * Threads: any; a call reads all of /proc. Ownership: nothing is kept. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tree {
    pid_t root; /* the executor, itself no part of the tree; 0: none is left */
    uint64_t root_ticks;
    const char *marker; /* a whole KEY=VALUE */
};

/* How many processes are left; -errno. */
int tree_count(const struct tree *tree, struct error *err);
/* Sends it to each of them. */
int tree_signal(const struct tree *tree, int signal, struct error *err);
/* Stops what there is until nothing new is found, then kills it all, and again until a look finds
 * nothing that has not been killed. */
int tree_kill(const struct tree *tree, struct error *err);
