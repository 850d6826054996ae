/* files - the files that hold one service's output: NAME.log, which is written, then NAME.log.1,
 * NAME.log.2, ... from the youngest to the oldest.
 *
 * A rotation that was cut short leaves at most one number free among them; nothing is lost by it,
 * and the next rotation fills it. A rotation moves the oldest file first: so while a file has kept
 * its number, its neighbours are still its neighbours. Everything here that looks around relies on
 * that, and needs no lock against the thread that rotates.
 *
 * Threads: any; files_rotate() and files_open_current() for the logs' thread only.
 * Ownership: descriptors that are returned are the caller's. */
#pragma once

#include "model/service_spec.h"

#include <stdbool.h>
#include <time.h>

struct log_files {
    int dir_fd; /* log_dir; borrowed */
    const char *service;
};

enum files_direction { FILES_YOUNGER = -1, FILES_OLDER = 1 };

/* NAME.log for writing at an offset (not O_APPEND, which splice refuses); made when missing. */
int files_open_current(const struct log_files *files);
/* Makes NAME.log an old file and gives *fd a new one; at most max_files old ones are kept. On
 * failure *fd stays what it was, and is still to be written to. */
int files_rotate(const struct log_files *files, int64_t max_files, int *fd);

/* For reading: the youngest; or the oldest of those last written at since or later. -ENOENT. */
int files_open_youngest(const struct log_files *files);
int files_open_oldest(const struct log_files *files, struct timespec since);

/* Whether fd is NAME.log: 1, 0: another file is, -errno: none is (-ENOENT) or it can't be told. */
int files_is_current(const struct log_files *files, int fd);
/* The next file after fd in that direction. -ENOENT: there is none; -ESTALE: fd itself is not kept
 * any more. */
int files_open_neighbour(const struct log_files *files, int fd, enum files_direction direction);
