/* bare_keeper - the least that keeps services running: spawn.h for each, wait for any end by pidfd,
 * again. At SIGTERM it ends them all, and then itself.
 *
 * Service n is started with the command and FOLDER/n.fifo, or with FIFO alone for all of them.
 * Threads: one. */
#include "measure.h"
#include "spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct kept {
    char *argv[3];
    struct spawned spawned;
};

struct keeper {
    int epoll, signals, count;
    struct kept *services;
};

static void watch(const struct keeper *keeper, int fd, void *what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

    if (epoll_ctl(keeper->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl: %m");
}

static void start(const struct keeper *keeper, struct kept *service)
{
    spawn_process(&service->spawned, service->argv, -1);
    watch(keeper, service->spawned.child.pidfd, service);
}

static void stop_all(struct keeper *keeper)
{
    for (int i = 0; i < keeper->count; i++)
        pidfd_send_signal(keeper->services[i].spawned.child.pidfd, SIGTERM, NULL, 0);
    for (int i = 0; i < keeper->count; i++)
        spawn_reap(&keeper->services[i].spawned);
}

static void prepare(struct keeper *keeper)
{
    sigset_t ends;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    keeper->epoll = epoll_create1(EPOLL_CLOEXEC);
    keeper->signals = signalfd(-1, &ends, SFD_CLOEXEC);
    keeper->services = calloc((size_t)keeper->count, sizeof *keeper->services);
    if (keeper->epoll < 0 || keeper->signals < 0 || !keeper->services)
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
        spawn_reap(&((struct kept *)event.data.ptr)->spawned);
        start(&keeper, event.data.ptr);
    }
    stop_all(&keeper);
    return 0;
}
