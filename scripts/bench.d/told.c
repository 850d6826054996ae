/* told - services that tell of themselves in their FIFOs. */
#include "told.h"

#include "lines.h"
#include "measure.h"

#include <stdlib.h>
#include <unistd.h>

void told_init(struct told *told, const char *folder)
{
    *told = (struct told){.folder = folder};
}

void told_adopt(struct told *told, int number)
{
    struct told_service *service;

    if (number >= told->room) {
        told->services = reallocarray(told->services, (size_t)number + 1, sizeof *told->services);
        if (!told->services)
            die("out of memory");
        for (; told->room <= number; told->room++)
            told->services[told->room].fd = -1;
    }
    service = &told->services[number];
    service->fd = line_open(told->folder, number);
    service->pid = line_read(service->fd);
}

void told_await_next(struct told *told, int number)
{
    struct told_service *service = &told->services[number];
    pid_t pid = line_read(service->fd);

    if (pid == service->pid)
        die("service %d told twice of the same process", number);
    service->pid = pid;
}

void told_deinit(struct told *told)
{
    for (int n = 0; n < told->room; n++) {
        if (told->services[n].fd < 0)
            continue;
        line_restore(told->services[n].fd, told->services[n].pid);
        close(told->services[n].fd);
    }
    free(told->services);
}
