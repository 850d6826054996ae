/* told - services that tell of themselves in their FIFOs, for clients of supervisors that can't say
 * when a service is there.
 *
 * Threads: one. Ownership: told_deinit() closes what told_adopt() has opened. */
#pragma once

#include <sys/types.h>

struct told {
    const char *folder;
    struct told_service {
        int fd; /* -1: not adopted */
        pid_t pid;
    } * services; /* service n: services[n] */
    int room;
};

void told_init(struct told *told, const char *folder);
/* Waits until it runs, if it doesn't yet. */
void told_adopt(struct told *told, int number);
/* Waits for the line of the next process. */
void told_await_next(struct told *told, int number);
/* Puts the lines back. */
void told_deinit(struct told *told);
