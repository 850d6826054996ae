/* logs - what services write to stdout and stderr: taken from FIFOs, kept in files, shown.
 *
 * One thread splices from every service's FIFO to its file at an explicit offset, so that a killed
 * daemon loses and doubles nothing; the FIFO is opened read-write, so that neither side ever sees
 * an end. Files are rotated by size, a line is never split across two: NAME.log is written,
 * NAME.log.1 is the one before it; log_max_files counts the old ones only (0: none is kept).
 *
 * Threads: one of its own does all capture, tails and rotation; the calls here are for any thread.
 * Callbacks run on the logs' thread, or on the caller's where said, without any lock held.
 * Ownership: a log lives until logs_stop(); log_open_service() gives a borrowed one. */
#pragma once

#include "base/error.h"
#include "model/service_spec.h"

#include <stdint.h>
#include <sys/types.h>

struct logs;
struct log;

int logs_start(const char *runtime_dir, const char *log_dir, struct logs **ret_logs,
               struct error *err);
/* Takes what the FIFOs still hold, answers every tail, ends every wait, joins. NULL is fine. */
void logs_stop(struct logs *logs);

/* Makes (or finds again) runtime_dir/<service>/out, owned by uid and gid when set_user, and begins
 * to capture. Called again for a known service it only takes over the new owner and limits. */
int log_open_service(struct logs *logs, const struct service_spec *spec, struct log **ret_log,
                     struct error *err);
const char *log_fifo(const struct log *log); /* the path, for the executor */

/* Where in the stream we are now, in bytes since the daemon began; with what the FIFO still holds.
 * For log_tail(): "since here". Waits at most for the one write that is going on. */
int64_t log_position(struct log *log);

/* What a service writes can't be kept at the moment (a full disk): it stays in the FIFO, which
 * holds the service once it is full, and is tried again every second. */
struct log_trouble {
    int error;        /* -errno; 0: all is well */
    uint64_t times;   /* how often it began */
    int rotate_error; /* of the last rotation, -errno: meanwhile NAME.log grows beyond its size */
};
void log_trouble(struct log *log, struct log_trouble *ret_trouble);

typedef void log_tail_done(void *context, const struct string_list *lines);
/* Takes what is in the FIFO, then gives the last count lines (each at most 1000 bytes) written
 * since position. done is called exactly once, on the logs' thread. -ENOMEM: it will not be.
 * Looks back over 1 MiB at most; a NUL is given as '?'. */
int log_tail(struct log *log, int64_t since_position, size_t count, log_tail_done *done,
             void *context);

/* Reading, for people; own descriptors, usable while capture goes on, and (but for waiting) after
 * logs_stop(). */
struct log_reader;
/* Stands lines before the end, over rotated files as well where they are needed; 0: at the end;
 * SIZE_MAX: at the beginning of what is kept. A service that is not open is read by its name in
 * log_dir. -ENOENT: the service has no log yet. */
int log_reader_open(struct logs *logs, const char *service, size_t lines,
                    struct log_reader **ret_reader, struct error *err);
/* The next bytes; 0: the end, for now; -errno. Follows a rotation; one that has fallen behind so
 * far that its file was dropped goes on in the oldest that is kept. */
ssize_t log_reader_read(struct log_reader *reader, char *buffer, size_t size);
void log_reader_close(struct log_reader *reader); /* NULL is fine; not while a wait stands */

typedef void log_wait_done(void *context);
/* Calls done exactly once: when there is more to read, at until_mono (CLOCK_NEVER: not), or at
 * logs_stop(); on the logs' thread, or at once on the caller's. */
void log_reader_wait(struct log_reader *reader, int64_t until_mono, log_wait_done *done,
                     void *context);
