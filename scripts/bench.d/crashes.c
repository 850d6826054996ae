/* crashes - kill -9 of a service, and how long it takes until the next process of it says that it
 * is there; one service after the other, whoever keeps them running.
 *
 * First it lets all of them be for so long: there are supervisors that hold a service back which
 * crashes in its first second. Prints p50, p95 and rate, and what a process used of the processors
 * for each; appends every sample to a file. Threads: one. */
#include "lines.h"
#include "measure.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct service {
    int fd;
    pid_t pid;
};

static void let_be(int ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

static int64_t crash(struct service *service)
{
    int64_t begin = now_ns();
    pid_t next;

    if (kill(service->pid, SIGKILL) < 0)
        die("kill %d: %m", service->pid);
    next = line_read(service->fd);
    begin = now_ns() - begin;
    if (next == service->pid)
        die("%d told twice of itself", next);
    service->pid = next;
    return begin;
}

int main(int argc, char **argv)
{
    struct samples samples = {0};
    struct service *services;
    int64_t cpu;
    int count;
    pid_t pid = 0;

    if (argc != 5 && argc != 6)
        die("usage: crashes LINES-FOLDER COUNT MS-BEFORE SAMPLES-FILE [PID]");
    count = number_of(argv[2]);
    if (argc == 6)
        pid = number_of(argv[5]);
    services = calloc((size_t)count, sizeof *services);
    if (!services)
        die("out of memory");
    for (int i = 0; i < count; i++) {
        services[i].fd = line_open(argv[1], i + 1);
        services[i].pid = line_read(services[i].fd);
    }
    let_be(number_of(argv[3]));
    cpu = cpu_ns(pid);
    for (int i = 0; i < count; i++)
        samples_add(&samples, crash(&services[i]));
    cpu = cpu_ns(pid) - cpu;
    for (int i = 0; i < count; i++)
        line_restore(services[i].fd, services[i].pid);
    samples_write(&samples, argv[4]);
    printf("cpu %.1f us each; ", (double)cpu / NS_PER_US / count);
    samples_print(&samples);
    samples_deinit(&samples);
    free(services);
    return 0;
}
