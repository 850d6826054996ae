/* handover - descriptors that a program gives to the one that it becomes by execve().
 * Threads: none, one owner at a time. Ownership: what stands in it is its own until it is taken;
 * handover_close() closes the rest. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define HANDOVER_MAX  8
#define HANDOVER_TEXT (HANDOVER_MAX * 12)

struct handover {
    int fds[HANDOVER_MAX]; /* -1: taken */
    size_t count;
};

/* Puts a copy of fd in, which outlives execve(). 0 or -errno. */
int handover_add(struct handover *handover, int fd);
/* "5,6,9", for the environment. */
void handover_format(const struct handover *handover, char text[static HANDOVER_TEXT]);
/* What such a text names, as far as it is open; from now on none outlives an execve(). */
void handover_parse(struct handover *handover, const char *text);
/* The descriptor of the same file, of the listening socket with this address; -1: none. */
int handover_take_file(struct handover *handover, const struct stat *file);
int handover_take_socket(struct handover *handover, const struct sockaddr *address, socklen_t len);
void handover_close(struct handover *handover);
