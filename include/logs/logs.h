/* logs - what services write to stdout and stderr: taken from FIFOs, kept in files, put on the
 * console, shown; and what systemd's journal has of units, shown in the same way.
 *
 * One thread splices from every service's FIFO to its file at an explicit offset, so that a killed
 * daemon loses and doubles nothing; the FIFO is opened read-write, so that neither side ever sees
 * an end. stderr goes to the same FIFO, or has one and files (NAME.err.log) of its own.
 *
 * With timestamps a line begins with its time in UTC. Such lines are copied to the file first and
 * taken from the FIFO then: a daemon that is killed in between loses nothing, but doubles at most
 * the last 64 KiB. What waits for the console, 64 KiB of each stream and a line that has no end
 * yet, is lost with the daemon.
 *
 * Files are rotated by size, by the age of their first byte, or when asked; a line is never split
 * across two: NAME.log is written, NAME.log.1 is the one before it; log_max_files counts the old
 * ones only (0: none is kept). With log_compress the old ones become NAME.log.1.gz and so on, by a
 * thread of low priority; a daemon that is killed while it does leaves them as they were.
 *
 * On the console a line is "NAME | text", one of a stderr that is apart "NAME ! text"; only whole
 * lines are put there, one above 8 KiB as several. Nothing waits for the console: what it does not
 * take is treated as what a full disk does not take.
 *
 * Of a unit nothing is captured, kept or rotated here: its log is read from the journal, what its
 * processes said and what the manager said of it, each entry's MESSAGE as a line or as several. A
 * NUL in it is given as '?', one above 1 MiB is cut there.
 *
 * Threads: one of its own does all capture, tails and rotation, and another compresses once there
 * is something to; the calls here are for any thread. Callbacks run on the logs' thread, or on the
 * caller's where said, without any lock held.
 * Ownership: a log lives until logs_stop(); log_open_service() gives a borrowed one. */
#pragma once

#include "base/error.h"
#include "model/service_spec.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct logs;
struct log;

struct logs_config {
    const char *runtime_dir, *log_dir;
    /* A descriptor for target = console and both: the daemon's stdout. It is borrowed at
     * logs_start() only, and may be one that is not open. */
    int console;
    /* The trouble (see log_trouble) of a service's log began, changed or healed; on the logs'
     * thread: it must not block. NULL: nobody asks. */
    void (*trouble)(void *context, const char *service);
    void *context;
};
int logs_start(const struct logs_config *config, struct logs **ret_logs, struct error *err);
/* Takes what the FIFOs still hold, answers every tail, ends every wait, joins. A console that takes
 * nothing is waited for, a second at most. NULL is fine. */
void logs_stop(struct logs *logs);

/* Under a service manager that keeps descriptors for us, it keeps each FIFO's. Once every log that
 * a former daemon left is open again: what it keeps beyond those is given up. */
void logs_forget_stored(struct logs *logs);

/* Makes (or finds again) runtime_dir/<service>/out, and err where stderr is apart, owned by uid and
 * gid when set_user, and begins to capture. Called again for a known service it takes over the new
 * owner and settings, at once, but for separate_stderr, which is for the next instance: an err that
 * is there, even of a former daemon, is read for ever. For a unit nothing is made, and nothing of
 * the journal is held open. */
int log_open_service(struct logs *logs, const struct service_spec *spec, struct log **ret_log,
                     struct error *err);
/* The path, for the executor; NULL: the service's stderr is not apart, or it is a unit. */
const char *log_fifo(const struct log *log, enum stream stream);

/* Where in the streams we are now, in bytes of both since the daemon began; with what the FIFOs
 * still hold. For log_tail(): "since here"; with stderr apart only the last 16 that were given are
 * remembered, an older one may mean a later place. Waits at most for the one write that is going
 * on. Of a unit it is the time. */
int64_t log_position(struct log *log);

/* What a service writes can't be kept at the moment (a full disk, a console that takes nothing). It
 * is tried again every second; until then it stays in the FIFO, which holds the service once it is
 * full, or, with when_full = drop, is read and thrown away: then a line says how much that was. A
 * console that is slow is trouble for a service that is held by it only after a second. */
struct log_trouble {
    int error;        /* -errno; 0: all is well; -EAGAIN: the console takes nothing */
    uint64_t times;   /* how often it began */
    int rotate_error; /* of the last rotation or compression, -errno: NAME.log grows meanwhile */
    uint64_t dropped_bytes; /* read and thrown away, for want of room */
};
void log_trouble(struct log *log, struct log_trouble *ret_trouble);
/* The same by name; false: that service's log is not open. */
bool logs_find_trouble(struct logs *logs, const char *service, struct log_trouble *ret);

typedef void log_tail_done(void *context, const struct string_list *lines);
/* Takes what is in the FIFOs, then gives the last count lines (each at most 1000 bytes) written
 * since position, those of a stderr that is apart behind those of stdout. done is called exactly
 * once, on the logs' thread. -ENOMEM: it will not be.
 * Looks back over 1 MiB at most, over 16 KiB where no file has the lines as they were written (on
 * the console, with timestamps), and not behind what was dropped. With target = none there are no
 * lines. A NUL is given as '?'.
 * Of a unit it gives those of this boot that the journal has once journald has written what it was
 * sent, which is waited for, a second at most; only root may ask it to. */
int log_tail(struct log *log, int64_t since_position, size_t count, log_tail_done *done,
             void *context);

/* Begins a new file now (both, when stderr is apart); done as log_tail() calls it, with 0 or
 * -errno: NAME.log goes on as it is. -ENODATA: it is empty or has no file, and was left alone.
 * -EBUSY: its last line has no end yet; the new file begins when it has. When this itself gives an
 * error
 * (-ENOENT: the service's log is not open) done will not be called. */
typedef void log_rotate_done(void *context, int result);
int logs_rotate(struct logs *logs, const char *service, log_rotate_done *done, void *context);

/* Reading, for people; own descriptors, usable while capture goes on, and (but for waiting) after
 * logs_stop(); by one thread at a time. */
struct log_reader;
/* Stands lines before the end, over rotated files as well where they are needed; 0: at the end;
 * SIZE_MAX: at the beginning of what is kept. A service that is not open is read by its name in
 * log_dir. Compressed files are read as if they were not. -ENOENT: the service has no such log. */
int log_reader_open(struct logs *logs, const char *service, enum stream stream, size_t lines,
                    struct log_reader **ret_reader, struct error *err);
/* The same of a unit, whether or not its log is open; spec->unit and its bus say which. Only with
 * follow can more be waited for. -ENOENT: there is no journal here that can be read. */
int log_reader_open_unit(struct logs *logs, const struct service_spec *spec, size_t lines,
                         bool follow, struct log_reader **ret_reader, struct error *err);
/* The next bytes; 0: the end, for now; -EAGAIN, of a unit that is followed: the same, but something
 * of other units has been passed over; -errno. Follows a rotation; one that has fallen behind so
 * far that its file was dropped goes on in the oldest that is kept. */
ssize_t log_reader_read(struct log_reader *reader, char *buffer, size_t size);
void log_reader_close(struct log_reader *reader); /* NULL is fine; not while a wait stands */

typedef void log_wait_done(void *context);
/* Calls done exactly once: when there is more to read, at until_mono (CLOCK_NEVER: not), or at
 * logs_stop(); on the logs' thread, or at once on the caller's. */
void log_reader_wait(struct log_reader *reader, int64_t until_mono, log_wait_done *done,
                     void *context);
