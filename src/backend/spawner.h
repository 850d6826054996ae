/* spawner - starts orderly-exec: clone3(VM|VFORK|FILES) where it is to be had, else posix_spawn.
 *
 * The child shares the descriptor table until it unshares the low part of it alone, for copying
 * thousands of descriptors costs more than the spawn; so the two descriptors that it is to have
 * are put into low places which are kept for that.
 *
 * Threads: any; no more than `workers` at once, others wait. Ownership: a spawner lies in its
 * backend; the caller keeps the descriptors that it hands over. */
#pragma once

#include "base/error.h"
#include "base/lock.h"

#include <stdbool.h>
#include <sys/types.h>

/* What one start at a time needs. */
struct place {
    int settings, gate; /* low descriptors */
    void *stack;        /* of the child, until it has become another program */
};

struct spawner {
    struct lock lock;
    struct cond returned;
    int null;
    struct place *places;
    unsigned count, free_count;
    unsigned limit;   /* above all low places */
    bool clones;      /* clone3 works here */
    bool clones_into; /* and into a cgroup */
    bool exit_info;   /* and exits can be asked of a pidfd */
};

/* Nothing open yet: what spawner_deinit() may be called on, and spawner_init() must be. */
void spawner_zero(struct spawner *spawner);
/* trial_cgroup: a group to try, or -1. */
int spawner_init(struct spawner *spawner, unsigned workers, int trial_cgroup, struct error *err);
void spawner_deinit(struct spawner *spawner);

struct spawn {
    const char *executor, *marker;
    int settings, gate; /* any descriptors */
    int cgroup;         /* -1: into ours */
};
/* The child is ours to reap. */
int spawner_spawn(struct spawner *spawner, const struct spawn *spawn, pid_t *ret_pid,
                  int *ret_pidfd, struct error *err);
