/* keeper - the process that a scope is kept alive by. */
#include "base/cleanup.h"
#include "base/sys.h"
#include "cgroup.h"
#include "exec/settings.h"
#include "scope.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define KEEPER_GROUP "keeper"
#define GATE_NUMBER  3
#define GONE_WITHIN  1000 /* ms */

static char *group_in(const char *scope)
{
    char *group;

    return asprintf(&group, "%s/" KEEPER_GROUP, scope) < 0 ? NULL : group;
}

/* ---- starting ---- */

static int spawn(const char *executor, int gate, pid_t *ret_pid)
{
    char *const argv[] = {"orderly-exec", EXEC_KEEPER, "3", NULL};
    char *const environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    int result = posix_spawn_file_actions_init(&actions);

    if (result != 0)
        return -result;
    result = posix_spawn_file_actions_adddup2(&actions, gate, GATE_NUMBER);
    if (result == 0)
        result = posix_spawn(ret_pid, executor, &actions, NULL, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    return -result;
}

static int receive_pid(int gate, pid_t *ret_pid, struct error *err)
{
    struct exec_report message = {0};
    ssize_t n;

    do
        n = recv(gate, &message, sizeof message, 0);
    while (n < 0 && errno == EINTR);
    if (n != sizeof message || message.kind != REPORT_EXECUTING)
        return error_set(err, message.kind == REPORT_FAILED ? -message.error : -EPROTO,
                         "start the process that keeps the scope: %m");
    *ret_pid = message.value;
    return 0;
}

int keeper_start(const char *executor, pid_t *ret_pid, int *ret_gate, struct error *err)
{
    CLEANUP(closep) int ours = -1;
    CLEANUP(closep) int theirs = -1;
    int pair[2], r;
    pid_t parent;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set(err, -errno, "make a socket pair: %m");
    ours = pair[0];
    /* dup2 onto itself would leave it close-on-exec. */
    theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, GATE_NUMBER + 1);
    close(pair[1]);
    if (theirs < 0)
        return error_set(err, -errno, "make a socket pair: %m");
    r = spawn(executor, theirs, &parent);
    if (r < 0)
        return error_set(err, r, "start %s: %m", executor);
    close(take_fd(&theirs));
    r = receive_pid(ours, ret_pid, err);
    while (waitpid(parent, NULL, 0) < 0 && errno == EINTR)
        ;
    if (r == 0)
        *ret_gate = take_fd(&ours);
    return r;
}

/* ---- its place ---- */

static int move_into(const char *group, pid_t pid)
{
    CLEANUP(freep) char *list = NULL;
    CLEANUP(closep) int fd = -1;

    if (asprintf(&list, "%s/cgroup.procs", group) < 0) {
        list = NULL;
        return -ENOMEM;
    }
    fd = open(list, O_WRONLY | O_CLOEXEC);
    return fd < 0 || dprintf(fd, "%d", (int)pid) < 0 ? -errno : 0;
}

int keeper_settle(const char *scope, pid_t pid, int gate, struct error *err)
{
    CLEANUP(freep) char *group = group_in(scope);
    static const char word = GATE_OPEN;
    int r = group ? 0 : -ENOMEM;

    if (r == 0 && mkdir(group, 0755) < 0 && errno != EEXIST)
        r = -errno;
    if (r == 0)
        r = move_into(group, pid);
    if (r == 0 && send(gate, &word, sizeof word, MSG_NOSIGNAL) < 0)
        r = -errno;
    return r < 0 ? error_set(err, r, "put the process that keeps it into %s: %m", scope) : 0;
}

bool keeper_lives(const char *scope)
{
    CLEANUP(freep) char *group = group_in(scope);
    bool populated = false;

    return group && cgroup_populated(group, &populated, NULL) == 0 && populated;
}

static void open_process(pid_t pid, void *context)
{
    int *fd = context;

    if (*fd < 0)
        *fd = sys_pidfd_open(pid);
}

/* By its end, not by cgroup.events: systemd may remove the group before that tells anything. */
void keeper_end(const char *scope)
{
    CLEANUP(freep) char *group = group_in(scope);
    CLEANUP(closep) int fd = -1;
    struct pollfd end = {.events = POLLIN};

    if (!group || cgroup_for_each_process(group, open_process, &fd) < 0 || fd < 0)
        return;
    end.fd = fd;
    if (cgroup_kill(group, NULL) == 0)
        poll(&end, 1, GONE_WITHIN);
    rmdir(group);
}
