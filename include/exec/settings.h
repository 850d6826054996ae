/* settings - what the daemon tells orderly-exec to become, and what is said between the two.
 *
 * A sealed memfd holds a struct exec_settings, then its strings, each NUL-terminated, in this
 * order: directory, output path, error path, ready path, environment file, cgroup path (each ""
 * when not used; without an error path stderr goes where stdout does), then argument_count
 * arguments, environment_count KEY=VALUE strings; then group_count gid_t values, aligned to 4.
 * orderly-exec is started as: orderly-exec <settings fd> <gate fd>.
 *
 * The gate is a SOCK_SEQPACKET pair. The daemon writes one byte (GATE_OPEN) once the instance is
 * written down; end of file instead means that the daemon died: the executor exits and nothing has
 * run. The executor writes struct exec_report messages.
 *
 *   direct (EXEC_STAY not set): REPORT_EXECUTING just before execve; the socket is CLOEXEC, so end
 *     of file after it is success, REPORT_FAILED after it a failed execve. The pid stays the same.
 *   staying (EXEC_STAY set, where no cgroup can be made): the executor forks the service and stays
 *     as its subreaper; REPORT_EXECUTING carries the service's pid and comes once execve has
 *     succeeded; REPORT_EXITED carries the main process's wait status; REPORT_EMPTY says that no
 *     process is left below it, and then the executor itself exits, the same way as the main
 *     process did. Once the service is forked the executor's name (comm) is "main <pid>", for a
 *     daemon that comes later and was not told.
 *
 * orderly-exec --keeper <gate fd> is something else: it forks a process that does nothing but be
 * there, tells its pid by REPORT_EXECUTING (or REPORT_FAILED) and exits. That process waits at the
 * gate too, and then until a signal ends it.
 *
 * Shared by the daemon and a musl program: plain integers only. */
#pragma once

#include <stdint.h>

#define EXEC_SETTINGS_MAGIC   0x4f524458u /* "ORDX" */
#define EXEC_SETTINGS_VERSION 2u
#define GATE_OPEN             'G'
#define EXEC_KEEPER           "--keeper"

enum exec_flags {
    EXEC_STAY = 1,       /* stay as subreaper */
    EXEC_SET_USER = 2,   /* uid, gid and groups are to be set */
    EXEC_SET_NOFILE = 4, /* always with both values below */
    EXEC_SET_CORE = 8,
    EXEC_SET_OOM = 16,
    EXEC_ENVIRONMENT_FILE_OPTIONAL = 32,
};

struct exec_settings {
    uint32_t magic, version, flags;
    uint32_t uid, gid, group_count;
    uint32_t umask;
    uint32_t argument_count, environment_count;
    uint32_t own_count; /* of the environment, the last ones: they win over the environment file */
    int32_t oom_score_adjust;
    uint64_t nofile_soft, nofile_hard; /* ~0: infinity */
    uint64_t core;                     /* soft and hard */
    uint64_t string_bytes;             /* all strings together */
};

enum exec_report_kind {
    REPORT_EXECUTING = 1,
    REPORT_FAILED = 2,
    REPORT_EXITED = 3,
    REPORT_EMPTY = 4,
};

enum exec_step {
    STEP_SETTINGS,
    STEP_SESSION,
    STEP_CGROUP,
    STEP_LIMITS,
    STEP_OOM,
    STEP_STDIO,
    STEP_ERROR_OUTPUT,
    STEP_READY,
    STEP_ENVIRONMENT_FILE,
    STEP_GROUPS,
    STEP_USER,
    STEP_DIRECTORY,
    STEP_FORK,
    STEP_EXEC, /* the last one */
};

struct exec_report {
    uint32_t kind; /* enum exec_report_kind */
    uint32_t step; /* FAILED: enum exec_step */
    int32_t error; /* FAILED: errno */
    int32_t value; /* EXECUTING: the pid; EXITED: the wait status; FAILED in an environment file:
                      the line */
};

/* The descriptor that a service with readiness `fd` writes its newline to; also told to it in the
 * environment as ORDERLY_READY_FD. */
#define EXEC_READY_FD 3
