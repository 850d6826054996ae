/* fifo - the FIFO that a service writes to.
 * It is opened read-write by both sides: so the service sees neither SIGPIPE nor an end of file
 * when the daemon dies, and the daemon sees no hang-up when the service does.
 * Threads: any. Ownership: the descriptor is the caller's. */
#pragma once

#include "base/error.h"
#include "model/service_spec.h"

#include <sys/types.h>

/* Makes the FIFO, 0600, or opens again the one that a former daemon made. */
int fifo_open(const char *path, int *ret_fd, struct error *err);
/* Gives it to the user that the service runs as. */
int fifo_own(int fd, const struct service_spec *spec, struct error *err);

size_t fifo_waiting(int fd); /* bytes that it holds */

/* Takes the first bytes, at most count, and forgets them: how many, or -errno. null_fd is
 * /dev/null, or -1. */
ssize_t fifo_discard(int fd, int null_fd, size_t count);

/* A pipe and a buffer to look at what a FIFO holds without taking it. */
struct peek {
    int pipe[2];
    char *data;
};
#define PEEK_MAX (64 * 1024)
int peek_init(struct peek *peek); /* 0 or -errno */
void peek_deinit(struct peek *peek);
/* Puts a copy of the first bytes, at most max, into peek->data. 0: nothing there; -errno. */
ssize_t fifo_peek(int fd, struct peek *peek, size_t max);
