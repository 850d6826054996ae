/* child - a spawned process with its pidfd. */
#include "child.h"

#include "measure.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

void child_start(struct child *child, char *const *argv, int from, int to, bool own_session)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int error;

    sigemptyset(&none);
    if (posix_spawn_file_actions_init(&actions) || posix_spawnattr_init(&attributes) ||
        (from >= 0 && posix_spawn_file_actions_adddup2(&actions, from, to)))
        die("out of memory");
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(
        &attributes, (short)(POSIX_SPAWN_SETSIGMASK | (own_session ? POSIX_SPAWN_SETSID : 0)));
    error = posix_spawn(&child->pid, argv[0], &actions, &attributes, argv, environ);
    if (error) {
        errno = error;
        die("spawn %s: %m", argv[0]);
    }
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    child->pidfd = pidfd_open(child->pid, 0);
    if (child->pidfd < 0)
        die("pidfd_open: %m");
}

void child_reap(struct child *child)
{
    siginfo_t info;

    if (waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED) < 0)
        die("waitid: %m");
    close(child->pidfd);
}
