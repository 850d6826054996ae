/* executor - starts orderly-exec for a program of an instance, up to its gate.
 * Threads: any. Ownership: what comes back is the caller's: a child to reap, two descriptors. */
#pragma once

#include "exec/settings.h"
#include "process_instance.h"

/* What it is to become; all borrowed. */
struct program {
    const struct launch *launch;
    const struct string_list *argv;
    const char *ready; /* the readiness FIFO; NULL: none */
    const char *added; /* KEY=VALUE of the environment; NULL: none */
    const char *join;  /* the group that it joins by itself; NULL: none, or it is born in it */
    int group;         /* descriptor of the group that it is born in; -1: ours */
    bool stay;         /* above the program, where there is no group */
};

struct executor {
    pid_t pid;
    int pidfd, socket; /* our end of the gate */
};

int executor_spawn(struct process_instance *p, const struct program *program,
                   struct executor *ret_executor, struct error *err);
/* Kills it and waits until it has gone: for one whose gate is closed that is at once. */
void executor_kill(int pidfd);
/* 0 or -errno; one that has ended by now is told of by its own pidfd. */
int executor_open_gate(int socket);
