#include "unit_outcome.h"

#include "unit_cause.h"
#include "unit_table.h"

#define SIZE UNIT_SENTENCE_SIZE

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool is_up(const struct unit_props *props)
{
    return unit_state(props, STATE_STOPPED) == STATE_RUNNING;
}

static bool is_down(const struct unit_props *props)
{
    return is(props->active, "inactive") || is(props->active, "failed");
}

static void say_where(const struct unit_props *props, char *text)
{
    say_more(text, SIZE, "the unit is %s/%s", props->active, props->sub);
}

/* "died at once: status 203, no such executable" */
static void say_why(const struct unit_end *end, const char *how, char *text)
{
    char cause[SIZE];

    unit_cause(end->unit, end->props, cause);
    say(text, SIZE, "%s: %s", how, cause);
    if (unit_state(end->props, STATE_STOPPED) == STATE_BACKOFF)
        say_more(text, SIZE, "; systemd will start it again (Restart=%s)", end->props->restart);
}

/* ---- done ---- */

/* A unit whose condition is not met is left as it was, and that is called done. */
static bool skipped(const struct unit_props *props, char *text)
{
    if (!props->assert_met && props->assert_at)
        say(text, SIZE, "refused: %s was not met",
            props->assertion[0] ? props->assertion : "an Assert...= of it");
    else if (!props->condition_met && props->condition_at)
        say(text, SIZE, "skipped: %s was not met",
            props->condition[0] ? props->condition : "a Condition...= of it");
    else if (is(props->result, "exec-condition"))
        say(text, SIZE, "skipped: its ExecCondition= said no");
    else
        return false;
    return true;
}

static bool started_and_down(const struct unit_end *end, char *text)
{
    const struct unit_props *props = end->props;

    if (skipped(props, text))
        return false;
    if (is(props->type, "oneshot") && is(props->result, "success")) {
        say(text, SIZE, "it ran to its end");
        return true;
    }
    say_why(end, is(props->result, "success") ? "ended at once" : "died at once", text);
    return false;
}

static bool started(const struct unit_end *end, char *text)
{
    const struct unit_props *props = end->props;

    if (is_up(props))
        return true;
    if (is_down(props))
        return started_and_down(end, text);
    if (unit_state(props, STATE_STOPPED) == STATE_BACKOFF) {
        say_why(end, is(props->result, "success") ? "ended at once" : "died at once", text);
        return false;
    }
    say(text, SIZE, "it was started, and is going another way already: ");
    say_where(props, text);
    return false;
}

static bool stopped(const struct unit_end *end, char *text)
{
    const struct unit_props *props = end->props;
    char time[32];

    if (!is_down(props)) {
        say(text, SIZE, "it was stopped, and somebody else has started it again: ");
        say_where(props, text);
        return false;
    }
    if (end->processes_left) {
        bool meant = is(props->kill_mode, "process") || is(props->kill_mode, "none");

        say(text, SIZE, "systemd calls it stopped, and processes of it still run%s",
            meant ? ", as its KillMode= says" : " (SendSIGKILL=)");
        return meant;
    }
    if (is(props->active, "failed") && is(props->result, "timeout")) {
        unit_duration(props->stop_timeout_us, time);
        say(text, SIZE, "systemd killed it: it had not stopped within its TimeoutStopSec=%s", time);
    } else if (is(props->active, "failed")) {
        say_why(end, "nothing of it is left, but systemd calls it failed", text);
    }
    return true;
}

static bool done(const struct unit_end *end, char *text)
{
    switch (end->action) {
    case UNIT_START:
    case UNIT_RESTART: return started(end, text);
    case UNIT_STOP: return stopped(end, text);
    case UNIT_RELOAD:
    case UNIT_SIGNAL: return true;
    }
    return true;
}

/* ---- the other results ---- */

static void say_failed(const struct unit_end *end, char *text)
{
    const struct unit_props *props = end->props;
    char time[32];

    switch (end->action) {
    case UNIT_START:
    case UNIT_RESTART:
        if (end->not_tried && is(props->active, "failed")) {
            say(text, SIZE, "did not start: ");
            unit_cause_limit(end->unit, text); /* its Result may tell of a failure before */
        } else if (is(props->result, "timeout")) {
            unit_duration(props->start_timeout_us, time);
            say(text, SIZE, "it was not ready within its TimeoutStartSec=%s, and systemd killed it",
                time);
        } else {
            say_why(end, "did not start", text);
        }
        return;
    case UNIT_STOP: say_why(end, "could not be stopped", text); break;
    case UNIT_RELOAD:
        say(text, SIZE, "its reload failed (result %s): `journalctl -u %s` has what it wrote",
            props->reload_result[0] ? props->reload_result : "failed", end->unit);
        break;
    case UNIT_SIGNAL: break;
    }
    say_more(text, SIZE, "; ");
    say_where(props, text);
}

static void say_canceled(const struct unit_end *end, char *text)
{
    say(text, SIZE, "another client's job took its place, or cancelled it: ");
    say_where(end->props, text);
}

static void say_timeout(const struct unit_end *end, char *text)
{
    say(text, SIZE, "its JobTimeoutSec= or JobRunningTimeoutSec= ran out: ");
    say_where(end->props, text);
}

static void say_dependency(const struct unit_end *end, char *text)
{
    if (end->culprit)
        say(text, SIZE, "a unit that it requires failed: %s (`systemctl status %s` says why)",
            end->culprit, end->culprit);
    else
        say(text, SIZE,
            "a unit that it requires failed: `systemctl list-dependencies %s` shows them",
            end->unit);
}

static void say_skipped(const struct unit_end *end, char *text)
{
    if (skipped(end->props, text))
        return;
    say(text, SIZE, "skipped: systemd found nothing to do for it: ");
    say_where(end->props, text);
}

static void say_invalid(const struct unit_end *end, char *text)
{
    if (end->action != UNIT_RELOAD)
        say(text, SIZE, "a unit in this state cannot do that: ");
    else if (is_up(end->props))
        say(text, SIZE, "it has no ExecReload= to reload it by: ");
    else
        say(text, SIZE, "only what is active can be reloaded: ");
    say_where(end->props, text);
}

static void say_assert(const struct unit_end *end, char *text)
{
    if (!skipped(end->props, text))
        say(text, SIZE, "refused: an Assert...= of it was not met");
}

static void say_unsupported(const struct unit_end *end, char *text)
{
    (void)end;
    say(text, SIZE, "units of this kind are not supported here (result unsupported)");
}

static void say_collected(const struct unit_end *end, char *text)
{
    say(text, SIZE, "its job was dropped: nothing needed the unit any more (result collected); ");
    say_where(end->props, text);
}

static void say_once(const struct unit_end *end, char *text)
{
    say(text, SIZE, "it may be started once in a boot only, and has been (result once); ");
    say_where(end->props, text);
}

static void say_frozen(const struct unit_end *end, char *text)
{
    say(text, SIZE, "it is frozen: `systemctl thaw %s` lets it go on", end->unit);
}

static const struct result {
    const char *name;
    void (*say)(const struct unit_end *end, char *text);
} results[] = {
    {"failed", say_failed},           {"canceled", say_canceled},   {"timeout", say_timeout},
    {"dependency", say_dependency},   {"skipped", say_skipped},     {"invalid", say_invalid},
    {"assert", say_assert},           {"collected", say_collected}, {"once", say_once},
    {"unsupported", say_unsupported}, {"frozen", say_frozen},
};

bool unit_outcome(const struct unit_end *end, char text[static UNIT_SENTENCE_SIZE])
{
    text[0] = '\0';
    if (is(end->result, "done"))
        return done(end, text);
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
        if (is(results[i].name, end->result)) {
            results[i].say(end, text);
            return false;
        }
    say(text, SIZE, "systemd ended the job with result %s: ", end->result);
    say_where(end->props, text);
    return false;
}

bool unit_outcome_lost(const struct unit_end *end, const uint8_t before[static 16],
                       char text[static UNIT_SENTENCE_SIZE])
{
    const struct unit_props *props = end->props;
    bool well = false;

    switch (end->action) {
    case UNIT_START: well = is_up(props); break;
    case UNIT_STOP: well = is_down(props); break;
    case UNIT_RESTART:
        well = is_up(props) && memcmp(props->invocation, before, sizeof props->invocation) != 0;
        break;
    case UNIT_RELOAD:
    case UNIT_SIGNAL: break; /* leaves no trace */
    }
    text[0] = '\0';
    if (well)
        return true;
    say(text, SIZE, "the bus went away before the answer; whether it was done is not known: ");
    say_where(props, text);
    return false;
}
