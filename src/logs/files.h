/* files - the files that hold one stream's output: NAME.log, which is written, then NAME.log.1,
 * NAME.log.2, ... from the youngest to the oldest; any of the old ones may be packed, and has .gz
 * behind its number then.
 *
 * A rotation that was cut short leaves at most one number free among them; nothing is lost by it,
 * and the next rotation fills it. A rotation moves the oldest file first: so while a file has kept
 * its number, its neighbours are still its neighbours. A packed file takes its place before the
 * plain one is removed, and tells which that was. Everything here that looks around relies on that,
 * and needs no lock against the thread that rotates.
 *
 * Threads: any; what writes is for the logs' thread only, but for files_open_pack().
 * Ownership: descriptors that are returned are the caller's. */
#pragma once

#include "model/names.h"
#include "model/service_spec.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#define LOG_BASE_SIZE (SERVICE_NAME_MAX + 5)

struct log_files {
    int dir_fd;       /* log_dir; borrowed */
    const char *base; /* NAME, or NAME.err; borrowed */
};

enum files_direction { FILES_YOUNGER = -1, FILES_OLDER = 1 };

/* The base of a service's files. */
void files_base(const char *service, enum stream stream, char base[static LOG_BASE_SIZE]);

/* Removes what a daemon that was killed has left half done. */
void files_clean(const struct log_files *files);
/* NAME.log for writing at an offset (not O_APPEND, which splice refuses); made when missing. */
int files_open_current(const struct log_files *files);
/* Makes NAME.log an old file and gives *fd a new one; at most max_files old ones are kept. On
 * failure *fd stays what it was, and is still to be written to. */
int files_rotate(const struct log_files *files, int64_t max_files, int *fd);

/* For packing: the youngest old file that is plain, or -ENOENT; and what it is packed into. */
int files_open_plain(const struct log_files *files);
int files_open_pack(const struct log_files *files);
/* The pack takes the place of the source, wherever that stands by now. 0 or -errno; the pack is
 * gone when the source is, and on failure. */
int files_place_pack(const struct log_files *files, const struct stat *source);
void files_drop_pack(const struct log_files *files);

/* For reading: the youngest; or the oldest of those last written at since or later. -ENOENT. */
int files_open_youngest(const struct log_files *files, bool *ret_packed);
int files_open_oldest(const struct log_files *files, struct timespec since, bool *ret_packed);
/* When the youngest old file was last written. 0 or -errno. */
int files_last_rotation(const struct log_files *files, struct timespec *ret_time);

/* Whether fd is NAME.log: 1, 0: another file is, -errno: none is (-ENOENT) or it can't be told. */
int files_is_current(const struct log_files *files, int fd);
/* The next file after fd in that direction. -ENOENT: there is none; -ESTALE: fd itself is not kept
 * any more. */
int files_open_neighbour(const struct log_files *files, int fd, enum files_direction direction,
                         bool *ret_packed);
