#include "unit_props.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

struct property {
    const char *name;
    int (*read)(sd_bus_message *m, void *to, size_t size);
    size_t offset, size;
};

/* ---- values ---- */

static int read_string(sd_bus_message *m, void *to, size_t size)
{
    const char *s;
    int r = sd_bus_message_read(m, "v", "s", &s);

    if (r >= 0)
        snprintf(to, size, "%s", s);
    return r;
}

/* A name or a path that does not fit is no use cut off. */
static int read_whole_string(sd_bus_message *m, void *to, size_t size)
{
    const char *s;
    int r = sd_bus_message_read(m, "v", "s", &s);

    if (r >= 0)
        snprintf(to, size, "%s", strlen(s) < size ? s : "");
    return r;
}

static int read_bool(sd_bus_message *m, void *to, size_t size)
{
    int value = 0; /* sd-bus gives an int */
    int r = sd_bus_message_read(m, "v", "b", &value);

    (void)size;
    if (r >= 0)
        *(bool *)to = value;
    return r;
}

static int read_u32(sd_bus_message *m, void *to, size_t size)
{
    uint32_t value = 0;
    int r = sd_bus_message_read(m, "v", "u", &value);

    (void)size;
    if (r >= 0)
        *(int64_t *)to = value;
    return r;
}

static int read_i32(sd_bus_message *m, void *to, size_t size)
{
    int32_t value = 0;
    int r = sd_bus_message_read(m, "v", "i", &value);

    (void)size;
    if (r >= 0)
        *(int64_t *)to = value;
    return r;
}

static int read_u64(sd_bus_message *m, void *to, size_t size)
{
    (void)size;
    return sd_bus_message_read(m, "v", "t", (uint64_t *)to);
}

static int read_invocation(sd_bus_message *m, void *to, size_t size)
{
    const void *bytes;
    size_t n;
    int r = sd_bus_message_enter_container(m, 'v', "ay");

    if (r > 0)
        r = sd_bus_message_read_array(m, 'y', &bytes, &n);
    if (r < 0)
        return r;
    memset(to, 0, size);
    if (n == size)
        memcpy(to, bytes, n);
    return sd_bus_message_exit_container(m);
}

/* Job is (uo); it is read for the whole of props, being two of its fields. */
static int read_job(sd_bus_message *m, void *to, size_t size)
{
    struct unit_props *props = to;
    const char *path;
    uint32_t id;
    int r = sd_bus_message_read(m, "v", "(uo)", &id, &path);

    (void)size;
    if (r < 0)
        return r;
    props->job = id;
    snprintf(props->job_path, sizeof props->job_path, "%s", id ? path : "");
    return r;
}

/* LoadError is (ss): the name of an error and its text. */
static int read_load_error(sd_bus_message *m, void *to, size_t size)
{
    const char *name, *text;
    int r = sd_bus_message_read(m, "v", "(ss)", &name, &text);

    if (r >= 0)
        snprintf(to, size, "%s", text);
    return r;
}

/* a(sbbsi): type, whether one of its kind is enough (written |), negated (!), parameter, and what
 * came of it: below 0 it was not met. */
static int read_conditions(sd_bus_message *m, void *to, size_t size)
{
    char *text = to;
    const char *type, *parameter;
    int trigger, negate, state, r = sd_bus_message_enter_container(m, 'v', "a(sbbsi)");

    text[0] = '\0';
    if (r > 0)
        r = sd_bus_message_enter_container(m, 'a', "(sbbsi)");
    if (r < 0)
        return r;
    while ((r = sd_bus_message_read(m, "(sbbsi)", &type, &trigger, &negate, &parameter, &state)) >
           0)
        if (state < 0 && text[0] == '\0')
            snprintf(text, size, "%s=%s%s%s", type, trigger ? "|" : "", negate ? "!" : "",
                     parameter);
    if (r < 0 || (r = sd_bus_message_exit_container(m)) < 0)
        return r;
    return sd_bus_message_exit_container(m);
}

/* Requires, Requisite and BindsTo are added up; unit_props_read() begins anew. */
static int read_requires(sd_bus_message *m, void *to, size_t size)
{
    char *text = to;
    const char *name;
    int r = sd_bus_message_enter_container(m, 'v', "as");

    if (r > 0)
        r = sd_bus_message_enter_container(m, 'a', "s");
    if (r < 0)
        return r;
    while ((r = sd_bus_message_read(m, "s", &name)) > 0) {
        size_t used = strlen(text);

        if (used + strlen(name) + 1 < size)
            snprintf(text + used, size - used, "%s ", name);
    }
    if (r < 0 || (r = sd_bus_message_exit_container(m)) < 0)
        return r;
    return sd_bus_message_exit_container(m);
}

/* ---- the table ---- */

#define FIELD(field) offsetof(struct unit_props, field), sizeof(((struct unit_props *)0)->field)

static const struct property properties[] = {
    {"Id", read_whole_string, FIELD(id)},
    {"LoadState", read_string, FIELD(load_state)},
    {"LoadError", read_load_error, FIELD(load_error)},
    {"ActiveState", read_string, FIELD(active)},
    {"SubState", read_string, FIELD(sub)},
    {"Result", read_string, FIELD(result)},
    {"ReloadResult", read_string, FIELD(reload_result)},
    {"Type", read_string, FIELD(type)},
    {"Restart", read_string, FIELD(restart)},
    {"KillMode", read_string, FIELD(kill_mode)},
    {"ControlGroup", read_whole_string, FIELD(control_group)},
    {"InvocationID", read_invocation, FIELD(invocation)},
    {"MainPID", read_u32, FIELD(main_pid)},
    {"NRestarts", read_u32, FIELD(restarts)},
    {"ExecMainCode", read_i32, FIELD(exit_code)},
    {"ExecMainStatus", read_i32, FIELD(exit_status)},
    {"TimeoutStartUSec", read_u64, FIELD(start_timeout_us)},
    {"TimeoutStopUSec", read_u64, FIELD(stop_timeout_us)},
    {"WatchdogUSec", read_u64, FIELD(watchdog_us)},
    {"ConditionTimestampMonotonic", read_u64, FIELD(condition_at)},
    {"AssertTimestampMonotonic", read_u64, FIELD(assert_at)},
    {"ActiveEnterTimestamp", read_u64, FIELD(active_at)},
    {"InactiveEnterTimestamp", read_u64, FIELD(inactive_at)},
    {"Job", read_job, 0, sizeof(struct unit_props)},
    {"NeedDaemonReload", read_bool, FIELD(needs_reload)},
    {"Transient", read_bool, FIELD(transient)},
    {"RemainAfterExit", read_bool, FIELD(remains)},
    {"ConditionResult", read_bool, FIELD(condition_met)},
    {"AssertResult", read_bool, FIELD(assert_met)},
    {"Conditions", read_conditions, FIELD(condition)},
    {"Asserts", read_conditions, FIELD(assertion)},
    {"Requires", read_requires, FIELD(requires)},
    {"Requisite", read_requires, FIELD(requires)},
    {"BindsTo", read_requires, FIELD(requires)},
};

static const struct property *find(const char *name)
{
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++)
        if (strcmp(properties[i].name, name) == 0)
            return &properties[i];
    return NULL;
}

static int read_one(struct unit_props *props, sd_bus_message *m)
{
    const struct property *property;
    const char *name;
    int r = sd_bus_message_read(m, "s", &name);

    if (r < 0)
        return r;
    property = find(name);
    return property ? property->read(m, (char *)props + property->offset, property->size)
                    : sd_bus_message_skip(m, "v");
}

int unit_props_read(struct unit_props *props, sd_bus_message *m)
{
    int r = sd_bus_message_enter_container(m, 'a', "{sv}");

    while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
        r = read_one(props, m);
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

void unit_props_init(struct unit_props *props)
{
    memset(props, 0, sizeof *props);
    props->condition_met = props->assert_met = true;
}

bool unit_props_has_run(const struct unit_props *props)
{
    static const uint8_t none[sizeof props->invocation];

    return memcmp(props->invocation, none, sizeof none) != 0;
}

void unit_props_carry(struct unit_props *props, const struct unit_props *old)
{
    if (unit_props_has_run(props) || !unit_props_has_run(old))
        return;
    memcpy(props->invocation, old->invocation, sizeof props->invocation);
    props->exit_code = old->exit_code;
    props->exit_status = old->exit_status;
    props->condition_met = old->condition_met;
    props->condition_at = old->condition_at;
}

struct exit_cause unit_props_exit(const struct unit_props *props)
{
    switch (props->exit_code) {
    case CLD_EXITED: return (struct exit_cause){EXIT_CODE, (int)props->exit_status};
    case CLD_KILLED:
    case CLD_DUMPED: return (struct exit_cause){EXIT_SIGNAL, (int)props->exit_status};
    default: return (struct exit_cause){.kind = EXIT_NONE};
    }
}
