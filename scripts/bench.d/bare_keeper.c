/* bare_keeper - the least that keeps services running: posix_spawn for each, wait for any end by
 * pidfd, posix_spawn again. At SIGTERM it ends them all, and then itself.
 *
 * Service n is started with the command and FOLDER/n.fifo, or with FIFO alone for all of them.
 * Threads: one. */
#include "measure.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct kept {
    char *argv[3];
    int pidfd;
};

struct keeper {
    int epoll, signals, count;
    struct kept *services;
    posix_spawnattr_t attributes; /* no signal is blocked in them */
};

static void watch(const struct keeper *keeper, int fd, void *what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

    if (epoll_ctl(keeper->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl: %m");
}

static void start(const struct keeper *keeper, struct kept *service)
{
    pid_t pid;

    errno = posix_spawn(&pid, service->argv[0], NULL, &keeper->attributes, service->argv, environ);
    if (errno)
        die("spawn %s: %m", service->argv[0]);
    service->pidfd = pidfd_open(pid, 0);
    if (service->pidfd < 0)
        die("pidfd_open: %m");
    watch(keeper, service->pidfd, service);
}

static void reap(struct kept *service)
{
    siginfo_t info;

    if (waitid(P_PIDFD, (id_t)service->pidfd, &info, WEXITED) < 0)
        die("waitid: %m");
    close(service->pidfd);
}

static void stop_all(struct keeper *keeper)
{
    for (int i = 0; i < keeper->count; i++)
        pidfd_send_signal(keeper->services[i].pidfd, SIGTERM, NULL, 0);
    for (int i = 0; i < keeper->count; i++)
        reap(&keeper->services[i]);
}

static void prepare(struct keeper *keeper)
{
    sigset_t ends, none;

    sigemptyset(&none);
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    keeper->epoll = epoll_create1(EPOLL_CLOEXEC);
    keeper->signals = signalfd(-1, &ends, SFD_CLOEXEC);
    keeper->services = calloc((size_t)keeper->count, sizeof *keeper->services);
    if (keeper->epoll < 0 || keeper->signals < 0 || !keeper->services ||
        posix_spawnattr_init(&keeper->attributes) ||
        posix_spawnattr_setsigmask(&keeper->attributes, &none) ||
        posix_spawnattr_setflags(&keeper->attributes, POSIX_SPAWN_SETSIGMASK))
        die("prepare: %m");
    watch(keeper, keeper->signals, NULL);
}

static void start_all(struct keeper *keeper, char *command, char *lines, bool shared)
{
    for (int i = 0; i < keeper->count; i++) {
        struct kept *service = &keeper->services[i];

        *service = (struct kept){.argv = {command, lines, NULL}};
        if (!shared && asprintf(&service->argv[1], "%s/%d.fifo", lines, i + 1) < 0)
            die("out of memory");
        start(keeper, service);
    }
}

int main(int argc, char **argv)
{
    struct keeper keeper = {0};
    struct epoll_event event;

    if (argc != 5 || (*argv[2] != 'f' && *argv[2] != 's'))
        die("usage: bare_keeper COUNT folder|shared FOLDER-OR-FIFO COMMAND");
    keeper.count = number_of(argv[1]);
    prepare(&keeper);
    start_all(&keeper, argv[4], argv[3], *argv[2] == 's');
    for (;;) {
        if (epoll_wait(keeper.epoll, &event, 1, -1) != 1)
            continue;
        if (!event.data.ptr)
            break;
        reap(event.data.ptr);
        start(&keeper, event.data.ptr);
    }
    stop_all(&keeper);
    return 0;
}
