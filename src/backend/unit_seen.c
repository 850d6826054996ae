#include "unit_seen.h"

#include "unit_sentence.h"
#include "unit_table.h"

static void set_invocation(const struct unit_props *props, struct unit_seen *seen)
{
    if (!unit_props_has_run(props))
        return;
    for (size_t i = 0; i < sizeof props->invocation; i++)
        say(seen->invocation_id + 2 * i, 3, "%02x", props->invocation[i]);
    for (size_t i = 0; i < sizeof seen->invocation; i++)
        seen->invocation = seen->invocation << 8 | props->invocation[i];
    if (seen->invocation == 0)
        seen->invocation = 1; /* by chance; 0 is for none */
}

/* In full, or not at all. */
static void set_place(const struct unit_props *props, const char *mount, struct unit_seen *seen)
{
    if (seen->state == STATE_STOPPED || seen->state == STATE_FAILED || seen->state == STATE_BACKOFF)
        return;
    if (mount && props->control_group[0] &&
        strlen(mount) + strlen(props->control_group) < sizeof seen->place)
        say(seen->place, sizeof seen->place, "%s%s", mount, props->control_group);
}

void unit_seen_make(const struct unit_props *props, const char *mount, enum service_state was,
                    struct unit_seen *seen)
{
    struct exit_cause exit = unit_props_exit(props);

    memset(seen, 0, sizeof *seen);
    seen->state = unit_state(props, was);
    if (props->active[0])
        seen->wanted_known = unit_wanted(props, seen->state, &seen->wanted);
    seen->recovers = unit_recovers(props);
    seen->config_changed = props->needs_reload;
    seen->pid = (pid_t)props->main_pid;
    seen->restarts = props->restarts;
    if (seen->state == STATE_RUNNING)
        seen->since_utc = (int64_t)props->active_at;
    else if (seen->state == STATE_STOPPED || seen->state == STATE_FAILED)
        seen->since_utc = (int64_t)props->inactive_at;
    seen->exit.kind = exit.kind;
    seen->exit.value = exit.value;
    set_invocation(props, seen);
    set_place(props, mount, seen);
    say(seen->active, sizeof seen->active, "%s", props->active);
    say(seen->sub, sizeof seen->sub, "%s", props->sub);
}
