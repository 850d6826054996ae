#include "unit_fault.h"

#include "base/units.h"
#include "unit_cause.h"

#include <unistd.h>

#define SYSTEMD "org.freedesktop.systemd1."
#define DBUS    "org.freedesktop.DBus.Error."

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

void unit_load_fault(const char *unit, const struct unit_props *props, const char *nearest,
                     char text[static UNIT_FAULT_SIZE])
{
    const char *state = props->load_state;

    text[0] = '\0';
    if (is(state, "not-found") && nearest)
        say(text, UNIT_FAULT_SIZE, "there is no unit %s: did you mean %s?", unit, nearest);
    else if (is(state, "not-found"))
        say(text, UNIT_FAULT_SIZE,
            "there is no unit %s: `systemctl list-unit-files` shows those that there are (after a "
            "new file: `systemctl daemon-reload`)",
            unit);
    else if (is(state, "masked"))
        say(text, UNIT_FAULT_SIZE, "%s is masked: `systemctl unmask %s` lets it be started", unit,
            unit);
    else if (is(state, "bad-setting") || is(state, "error"))
        say(text, UNIT_FAULT_SIZE, "the file of %s is not valid: `systemd-analyze verify %s`: %s",
            unit, unit, props->load_error[0] ? props->load_error : state);
}

/* ---- errors of calls ---- */

static const char *verb(enum unit_action action)
{
    switch (action) {
    case UNIT_START: return "start";
    case UNIT_STOP: return "stop";
    case UNIT_RESTART: return "restart";
    case UNIT_RELOAD: return "reload";
    case UNIT_SIGNAL: return "signal";
    }
    return "change";
}

struct refusal {
    enum unit_action action;
    const char *unit, *name, *message;
};

static void say_missing(const struct refusal *r, char *text)
{
    say(text, UNIT_SENTENCE_SIZE,
        "there is no unit %s: `systemctl list-unit-files` shows those that there are (after a new "
        "file: `systemctl daemon-reload`)",
        r->unit);
}

static void say_masked(const struct refusal *r, char *text)
{
    say(text, UNIT_SENTENCE_SIZE, "%s is masked: `systemctl unmask %s` lets it be started", r->unit,
        r->unit);
}

static void say_only_by_dependency(const struct refusal *r, char *text)
{
    say(text, UNIT_SENTENCE_SIZE, "its file says that only other units may %s it (%s)",
        verb(r->action),
        r->action == UNIT_STOP      ? "RefuseManualStop="
        : r->action == UNIT_RESTART ? "RefuseManualStart= or RefuseManualStop="
                                    : "RefuseManualStart=");
}

static void say_destructive(const struct refusal *r, char *text)
{
    say(text, UNIT_SENTENCE_SIZE,
        "systemd refused it for the sake of a job that may not be replaced (is the host shutting "
        "down?): %s",
        r->message);
}

static void say_policy(const struct refusal *r, char *text)
{
    say(text, UNIT_SENTENCE_SIZE,
        "refused by policy: %s (uid %d would need org.freedesktop.systemd1.manage-units from "
        "polkit, or to be root)",
        r->message, (int)geteuid());
}

static void say_bad_file(const struct refusal *r, char *text)
{
    say(text, UNIT_SENTENCE_SIZE, "the file of %s is not valid: `systemd-analyze verify %s`: %s",
        r->unit, r->unit, r->message);
}

static void say_not_applicable(const struct refusal *r, char *text)
{
    if (r->action == UNIT_RELOAD)
        say(text, UNIT_SENTENCE_SIZE, "it has no ExecReload= to reload it by: %s", r->message);
    else
        say(text, UNIT_SENTENCE_SIZE, "a unit of this kind cannot do that: %s", r->message);
}

static void say_no_process(const struct refusal *r, char *text)
{
    say(text, UNIT_SENTENCE_SIZE, "it has no main process that could take the signal: %s",
        r->message);
}

static void say_shutting_down(const struct refusal *r, char *text)
{
    (void)r;
    say(text, UNIT_SENTENCE_SIZE, "the host is shutting down");
}

static const struct refusing {
    const char *name;
    void (*say)(const struct refusal *refusal, char *text);
} refusing[] = {
    {SYSTEMD "NoSuchUnit", say_missing},
    {SYSTEMD "UnitMasked", say_masked},
    {SYSTEMD "OnlyByDependency", say_only_by_dependency},
    {SYSTEMD "TransactionIsDestructive", say_destructive},
    {DBUS "AccessDenied", say_policy},
    {DBUS "InteractiveAuthorizationRequired", say_policy},
    {SYSTEMD "LoadFailed", say_bad_file},
    {SYSTEMD "BadUnitSetting", say_bad_file},
    {SYSTEMD "JobTypeNotApplicable", say_not_applicable},
    {SYSTEMD "NoSuchProcess", say_no_process},
    {SYSTEMD "ShuttingDown", say_shutting_down},
};

void unit_call_error(enum unit_action action, const char *unit, const char *name,
                     const char *message, char text[static UNIT_SENTENCE_SIZE])
{
    struct refusal refusal = {action, unit, name, message ? message : "no more is said"};

    for (size_t i = 0; i < sizeof refusing / sizeof refusing[0]; i++)
        if (is(refusing[i].name, name)) {
            refusing[i].say(&refusal, text);
            return;
        }
    say(text, UNIT_SENTENCE_SIZE, "systemd refused it: %s (%s)", refusal.message, name);
}

bool unit_error_unknown(const char *name)
{
    return is(name, DBUS "NoReply") || is(name, DBUS "Disconnected") || is(name, DBUS "Timeout") ||
           is(name, DBUS "TimedOut");
}

/* dbus-daemon cannot start systemd, but it tries. */
bool unit_error_undelivered(const char *name)
{
    return is(name, DBUS "ServiceUnknown") || is(name, DBUS "NameHasNoOwner") ||
           strncmp(name, DBUS "Spawn.", strlen(DBUS "Spawn.")) == 0;
}

/* ---- advice ---- */

void unit_advice(const struct unit_props *props, int64_t timeout_us,
                 char text[static UNIT_FAULT_SIZE])
{
    bool start = props->start_timeout_us > (uint64_t)timeout_us;
    bool stop = props->stop_timeout_us > (uint64_t)timeout_us;
    char ours[32], theirs[32], second[32];

    text[0] = '\0';
    if (timeout_us <= 0 || (!start && !stop))
        return;
    units_format_duration(timeout_us, ours);
    unit_duration(start ? props->start_timeout_us : props->stop_timeout_us, theirs);
    unit_duration(props->stop_timeout_us, second);
    say(text, UNIT_FAULT_SIZE, "its %s=%s ", start ? "TimeoutStartSec" : "TimeoutStopSec", theirs);
    if (start && stop)
        say_more(text, UNIT_FAULT_SIZE, "and TimeoutStopSec=%s are", second);
    else
        say_more(text, UNIT_FAULT_SIZE, "is");
    say_more(text, UNIT_FAULT_SIZE,
             " longer than our timeout of %s: an operation may end timed_out while systemd goes on",
             ours);
}
