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
enum action { ACTION_START, ACTION_STOP, ACTION_RESTART };
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
enum containment { CONTAINMENT_NONE, CONTAINMENT_CGROUP, CONTAINMENT_BEST_EFFORT };
enum role { ROLE_NONE, ROLE_READ, ROLE_OPERATE, ROLE_ADMIN };

struct name_set {
    const char *const *names;
    size_t count;
};
extern const struct name_set service_state_names, goal_names, action_names, operation_state_names,
    origin_names, readiness_type_names, restart_policy_names, containment_names, role_names;

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
