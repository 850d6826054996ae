/* identity - which process a number means: a pid alone may have been reused, a pid with its start
 * time names one process for as long as the machine and its pid namespace live.
 * Threads: any. Ownership: nothing is kept. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_stat {
    pid_t pid, parent;
    char state;     /* as in /proc/<pid>/stat: Z and X are the dead */
    uint64_t ticks; /* since boot, at its start */
};

/* 0, or -ESRCH when there is no such process. */
int process_stat(pid_t pid, struct process_stat *ret_stat);

/* A pidfd of exactly that process; -ESRCH when it has gone, reused pid or not. */
int process_open(pid_t pid, uint64_t ticks);

/* The wait status of a process that has ended and that its parent has not reaped yet: the pidfd is
 * of pid. -ESRCH: it has been reaped, or lives; -EACCES: it is not for us to know. */
int process_zombie_status(pid_t pid, int pidfd, int *ret_wait_status);

/* Reads a small file whole, NUL-terminated: its length, or -errno. For /proc and cgroups. */
ssize_t small_read(const char *path, char *data, size_t size);
