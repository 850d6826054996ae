/* names - the closed sets of words that people and programs see, each with its text.
 * Threads: any; everything is constant. x_name() never gives NULL; x_parse() gives -1 for a word
 * that is not in the set. */
#pragma once

#include <stddef.h>

enum service_state {
    STATE_STOPPED,
    STATE_STARTING,
    STATE_RUNNING,
    STATE_STOPPING,
    STATE_BACKOFF, /* waiting for the next automatic start */
    STATE_FAILED,
};
enum goal { GOAL_DOWN, GOAL_UP };
enum action { ACTION_START, ACTION_STOP, ACTION_RESTART, ACTION_RELOAD, ACTION_SIGNAL };
/* How a new operation stands to those that are there already. */
enum mode {
    MODE_QUEUE,   /* behind them */
    MODE_FAIL,    /* refused when there are any */
    MODE_REPLACE, /* instead of them: they end `superseded`; a stop that runs is finished first */
};
enum operation_state {
    OPERATION_QUEUED,
    OPERATION_RUNNING,
    OPERATION_SUCCEEDED, /* this and all that follow are ends */
    OPERATION_FAILED,
    OPERATION_TIMED_OUT,
    OPERATION_CANCELLED,
    OPERATION_SUPERSEDED,
    OPERATION_INTERRUPTED,
};
enum origin {
    ORIGIN_API,
    ORIGIN_BOOT,
    ORIGIN_RECOVERY,
    ORIGIN_DEPENDENCY,
    ORIGIN_CONFIG,
    ORIGIN_SHUTDOWN,
};
enum readiness_type { READINESS_DELAY, READINESS_IMMEDIATE, READINESS_FD };
enum restart_policy { RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_NO };
enum event_kind {
    EVENT_KIND_OPERATION,
    EVENT_KIND_STATE,
    EVENT_KIND_EXIT,
    EVENT_KIND_CONFIG,
    EVENT_KIND_DAEMON,
};
enum output_target { OUTPUT_FILE, OUTPUT_CONSOLE, OUTPUT_BOTH, OUTPUT_NONE };
enum stream { STREAM_STDOUT, STREAM_STDERR };
#define STREAMS (STREAM_STDERR + 1)
enum when_full {
    WHEN_FULL_BLOCK, /* what cannot be kept waits in the FIFO, and then its writer */
    WHEN_FULL_DROP,  /* it is read, counted and thrown away */
};
enum containment {
    CONTAINMENT_NONE,
    CONTAINMENT_CGROUP,
    CONTAINMENT_BEST_EFFORT,
    CONTAINMENT_SYSTEMD, /* a unit's own group */
};
enum backend_type { BACKEND_PROCESS, BACKEND_SYSTEMD };
enum bus_type { BUS_SYSTEM, BUS_USER };
/* What becomes of a unit whose operation has timed out. */
enum on_timeout {
    ON_TIMEOUT_LEAVE, /* it is left to systemd: a database may be replaying its log */
    ON_TIMEOUT_STOP,
};
enum role { ROLE_NONE, ROLE_READ, ROLE_OPERATE, ROLE_ADMIN };

struct name_set {
    const char *const *names;
    size_t count;
};
extern const struct name_set service_state_names, goal_names, action_names, mode_names,
    operation_state_names, origin_names, readiness_type_names, restart_policy_names,
    containment_names, output_target_names, stream_names, when_full_names, event_kind_names,
    role_names, backend_type_names, bus_type_names, on_timeout_names;

const char *name_of(const struct name_set *set, int value);
int name_parse(const struct name_set *set, const char *word);

static inline const char *service_state_name(enum service_state value)
{
    return name_of(&service_state_names, (int)value);
}

static inline const char *action_name(enum action value)
{
    return name_of(&action_names, (int)value);
}

static inline const char *operation_state_name(enum operation_state value)
{
    return name_of(&operation_state_names, (int)value);
}
