/* fault - numbered points where a test has the program fail, wait or die: at whatever writes,
 * spawns or allocates for a request. Only in builds with ORDERLY_FAULTS; in all others a point is
 * the constant 0, and nothing of it is in the binary.
 *
 * One stands in front of what it stands for, so that the code's own way of failing is taken:
 *     if (FAULTS(fifo_make) || mkfifo(path, 0600) < 0)
 *         return error_set(err, -errno, ...);
 *
 * ORDERLY_FAULT in the environment chooses, separated by commas,
 *     NAME:error[=ERRNO][:at=N][:times=M]      EIO, the first time, once, unless it says otherwise
 *     NAME:delay=DURATION[:at=N][:times=M]     blocks the thread there; times=0: for ever
 *     NAME:kill[:at=N]                         SIGKILL to ourselves
 *
 * Threads: a point any, fault_begin() before others start. Ownership: the process's. */
#pragma once

#include "base/error.h"

#include <stdbool.h>

#ifdef ORDERLY_FAULTS

/* A number is for ever. What cannot fail by its nature (a write into mapped memory) has a point
 * that may only wait or die: STOP. */
#define FAULT_POINTS(POINT, STOP)                                                                  \
    POINT(1, thread_start, "starting a thread")                                                    \
    POINT(2, journal_open, "opening the database for writing")                                     \
    POINT(3, journal_prepare, "preparing the statements")                                          \
    POINT(4, journal_load, "reading what the last daemon left")                                    \
    POINT(5, journal_boot, "entering the boot into the database")                                  \
    POINT(6, journal_begin, "BEGIN of a transaction")                                              \
    POINT(7, journal_operation, "the row of an operation")                                         \
    POINT(8, journal_service, "the row of a service")                                              \
    POINT(9, journal_events, "the row of events")                                                  \
    POINT(10, journal_key, "the row of an Idempotency-Key")                                        \
    POINT(11, journal_prune, "removing what is too old")                                           \
    POINT(12, journal_commit, "COMMIT")                                                            \
    POINT(13, journal_rollback, "ROLLBACK after a failure")                                        \
    POINT(14, journal_probe, "the write that finds out whether it works again")                    \
    POINT(15, journal_checkpoint, "writing the log back into the database")                        \
    POINT(16, journal_reserve, "allocating the reserve")                                           \
    POINT(17, journal_give_up, "giving the reserve up")                                            \
    POINT(18, journal_read, "opening the database for reading")                                    \
    POINT(19, journal_group, "allocating what is to be written")                                   \
    POINT(20, marks_open, "opening the file of marks")                                             \
    POINT(21, marks_grow, "allocating room for marks")                                             \
    STOP(22, marks_write, "writing a mark")                                                        \
    POINT(23, instances_open, "opening the instance file")                                         \
    POINT(24, instances_grow, "allocating room for instances")                                     \
    STOP(25, instances_write, "writing an instance down, before its gate is opened")               \
    STOP(26, instances_close, "closing an instance's record")                                      \
    POINT(27, group_make, "making a control group")                                                \
    POINT(28, group_watch, "watching a control group")                                             \
    POINT(29, group_read, "reading whether a control group is empty")                              \
    POINT(30, group_kill, "killing a control group")                                               \
    POINT(31, ready_make, "making the readiness FIFO")                                             \
    POINT(32, exec_order, "the memfd with the executor's settings")                                \
    POINT(33, exec_write, "writing the executor's settings")                                       \
    POINT(34, exec_socket, "the socket pair between daemon and executor")                          \
    POINT(35, spawn_trial, "trying whether clone3 works here")                                     \
    POINT(36, spawn_clone, "clone3 of the executor")                                               \
    POINT(37, spawn_posix, "posix_spawn of the executor")                                          \
    POINT(38, spawn_pidfd, "pidfd_open of the executor after posix_spawn")                         \
    POINT(39, gate_open, "opening the executor's gate")                                            \
    POINT(40, exec_report, "reading what the executor says")                                       \
    POINT(41, signal_send, "sending a stop signal")                                                \
    POINT(42, adopt_pidfd, "pidfd_open of an instance that the last daemon left")                  \
    POINT(43, reload_spawn, "starting a reload command")                                           \
    POINT(44, fifo_make, "making a service's FIFO")                                                \
    POINT(45, fifo_open, "opening a service's FIFO")                                               \
    POINT(46, log_file, "opening a service's log file")                                            \
    POINT(47, log_splice, "moving bytes from the FIFO to the file")                                \
    POINT(48, log_fresh, "making the next log file")                                               \
    POINT(49, log_rename, "renaming a log file in a rotation")                                     \
    POINT(50, log_watch, "adding a FIFO to the logs' epoll")                                       \
    POINT(51, log_wait, "epoll_wait of the logs")                                                  \
    POINT(52, log_read, "opening a log file to be read")                                           \
    POINT(53, watcher_open, "making the watcher's epoll and timer")                                \
    POINT(54, watcher_add, "adding a descriptor to the watcher's epoll")                           \
    POINT(55, watcher_wait, "epoll_wait of the watcher")                                           \
    STOP(56, watcher_timer, "setting the watcher's timer")                                         \
    POINT(57, socket_listen, "binding the API's socket")                                           \
    POINT(58, socket_accept, "taking in a connection")                                             \
    POINT(59, http_start, "starting the HTTP server")                                              \
    POINT(60, request_new, "allocating a request")                                                 \
    POINT(61, submission_new, "allocating what is asked for")                                      \
    POINT(62, operation_new, "allocating an operation")                                            \
    POINT(63, batch_sort, "allocating the order of a batch")                                       \
    POINT(64, operation_copy, "copying an operation for its answer")                               \
    POINT(65, status_fragment, "allocating a fragment of the status")                              \
    POINT(66, status_answer, "allocating the answer to GET /status")                               \
    POINT(67, config_open, "opening a configuration file")                                         \
    POINT(68, config_folder, "opening services.d")                                                 \
    POINT(69, token_read, "opening the token file")                                                \
    POINT(70, token_make, "making the token file")                                                 \
    POINT(71, upgrade_check, "executing the new program to see whether it works")                  \
    POINT(72, upgrade_exec, "becoming the new program")                                            \
    POINT(73, board_publish, "allocating a service's status")

enum fault_point {
#define FAULT_NAMED(number, name, what) FAULT_##name = number,
    FAULT_POINTS(FAULT_NAMED, FAULT_NAMED)
#undef FAULT_NAMED
};

/* Passes the point: 0, or the -errno to fail with. */
int fault_pass(enum fault_point point);
/* As before, for what tells by errno: true: it fails, and errno says why. */
bool fault_pass_errno(enum fault_point point);

#define FAULT(name)  fault_pass(FAULT_##name)
#define FAULTS(name) fault_pass_errno(FAULT_##name)

/* Reads text as ORDERLY_FAULT is read; NULL: no fault from here on. */
int fault_choose(const char *text, struct error *err);
/* Reads ORDERLY_FAULT and takes it out of the environment: it is for no service, and for no program
 * that we become. */
int fault_begin(struct error *err);
/* Whether the table was asked for, --fault-points; it has been printed then. */
bool fault_asked(int argc, char **argv);

#else

#define FAULT(name)  0
#define FAULTS(name) false

static inline int fault_begin(struct error *err)
{
    (void)err;
    return 0;
}

static inline bool fault_asked(int argc, char **argv)
{
    (void)argc, (void)argv;
    return false;
}

#endif
