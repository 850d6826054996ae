#include "unit_table.h"

#include <string.h>

static const struct row {
    const char *active, *sub; /* sub NULL: any other */
    enum service_state state;
    bool between; /* it may be a moment of an automatic restart */
} rows[] = {
    {"active", NULL, STATE_RUNNING, false},
    {"reloading", NULL, STATE_RUNNING, false},
    {"refreshing", NULL, STATE_RUNNING, false},
    {"maintenance", NULL, STATE_RUNNING, false},
    {"activating", "auto-restart", STATE_BACKOFF, false},
    {"activating", "auto-restart-queued", STATE_BACKOFF, false},
    {"activating", NULL, STATE_STARTING, false},
    {"deactivating", NULL, STATE_STOPPING, false},
    {"failed", "failed-before-auto-restart", STATE_BACKOFF, false},
    {"failed", NULL, STATE_FAILED, true},
    {"inactive", "dead-before-auto-restart", STATE_BACKOFF, false},
    {"inactive", NULL, STATE_STOPPED, true},
};

static const struct row *find(const struct unit_props *props)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].active, props->active) == 0 &&
            (!rows[i].sub || strcmp(rows[i].sub, props->sub) == 0))
            return &rows[i];
    return NULL;
}

bool unit_recovers(const struct unit_props *props)
{
    return props->restart[0] && strcmp(props->restart, "no") != 0;
}

enum service_state unit_state(const struct unit_props *props, enum service_state was)
{
    const struct row *row = find(props);

    if (!row)
        return was;
    if (row->between && props->job && was == STATE_BACKOFF && unit_recovers(props) &&
        strcmp(props->result, "start-limit-hit") != 0)
        return STATE_BACKOFF;
    return row->state;
}

bool unit_wanted(const struct unit_props *props, enum service_state state, enum goal *ret_wanted)
{
    switch (state) {
    case STATE_RUNNING:
    case STATE_STARTING:
    case STATE_BACKOFF: *ret_wanted = GOAL_UP; return true;
    case STATE_STOPPED: *ret_wanted = GOAL_DOWN; return props->job == 0;
    case STATE_STOPPING: /* a restart begins like that, too */
    case STATE_FAILED: *ret_wanted = GOAL_DOWN; return false;
    }
    return false;
}
