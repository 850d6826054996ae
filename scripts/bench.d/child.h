/* child - a spawned process with its pidfd.
 *
 * Threads: one. Ownership: the pidfd is closed by child_reap(). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    int pidfd;
};

/* Its descriptor `to` is our descriptor `from` (-1: nothing is passed on); no signal is blocked in
 * it; own_session: it leads a session and a group. */
void child_start(struct child *child, char *const *argv, int from, int to, bool own_session);
/* Waits for its end. */
void child_reap(struct child *child);
