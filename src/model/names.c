#include "model/names.h"

#include <string.h>

#define SET(set, ...)                                                                              \
    static const char *const set##_words[] = {__VA_ARGS__};                                        \
    const struct name_set set = {set##_words, sizeof set##_words / sizeof *set##_words}

SET(service_state_names, "stopped", "starting", "running", "stopping", "backoff", "failed");
SET(goal_names, "down", "up");
SET(action_names, "start", "stop", "restart", "reload", "signal");
SET(mode_names, "queue", "fail", "replace");
SET(operation_state_names, "queued", "running", "succeeded", "failed", "timed_out", "cancelled",
    "superseded", "interrupted");
SET(origin_names, "api", "boot", "recovery", "dependency", "config", "shutdown");
SET(readiness_type_names, "delay", "immediate", "fd");
SET(restart_policy_names, "always", "on-failure", "no");
SET(containment_names, "none", "cgroup", "best-effort", "systemd");
SET(backend_type_names, "process", "systemd");
SET(bus_type_names, "system", "user");
SET(on_timeout_names, "leave", "stop");
SET(output_target_names, "file", "console", "both", "none");
SET(stream_names, "stdout", "stderr");
SET(when_full_names, "block", "drop");
SET(event_kind_names, "operation", "state", "exit", "config", "daemon");
SET(role_names, "none", "read", "operate", "admin");

const char *name_of(const struct name_set *set, int value)
{
    return value >= 0 && (size_t)value < set->count ? set->names[value] : "?";
}

int name_parse(const struct name_set *set, const char *word)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->names[i], word) == 0)
            return (int)i;
    return -1;
}
