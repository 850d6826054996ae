#include "whole.h"

#include "base/clock.h"
#include "base/units.h"

static bool written(const struct loading *l, const char *section, const char *key)
{
    return loading_place(l, section, key).line > 0;
}

/* ---- processes ---- */

/* What is missing may be what a broken line or an unknown key was meant to be. */
static void check_command(struct loading *l)
{
    if (!written(l, "service", "command") && !l->report->unclear)
        report_error(l->report, NO_PLACE, "command", "[service] command is required");
}

/* Where the least surprising of the keys that make the sum too large stands. */
static struct place place_of_sum(const struct loading *l, const char *ready_key)
{
    struct place place = loading_place(l, "operation", "timeout");

    if (place.line == 0)
        place = loading_place(l, "operation", "stop_timeout");
    if (place.line == 0 && ready_key)
        place = loading_place(l, "readiness", ready_key);
    return place;
}

static void refuse_sum(struct loading *l, const struct service_spec *spec, const char *ready_key,
                       int64_t ready_us)
{
    char stop[UNITS_TEXT_SIZE], ready[UNITS_TEXT_SIZE], timeout[UNITS_TEXT_SIZE],
        needed[UNITS_TEXT_SIZE], beside[UNITS_TEXT_SIZE + 32] = "";

    units_format_duration(spec->stop_timeout_us, stop);
    units_format_duration(ready_us, ready);
    units_format_duration(spec->timeout_us, timeout);
    units_format_duration(spec->stop_timeout_us + ready_us, needed);
    if (ready_key)
        snprintf(beside, sizeof beside, " and readiness %s %s", ready_key, ready);
    report_error(l->report, place_of_sum(l, ready_key), "timeout",
                 "a restart needs at least %s (stop_timeout %s%s); the timeout%s is %s", needed,
                 stop, beside,
                 written(l, "operation", "timeout") ? "" : ", [operations] of supervisor.conf,",
                 timeout);
}

static bool times_known(const struct loading *l)
{
    return !loading_refused(l, "operation", "timeout") &&
           !loading_refused(l, "operation", "stop_timeout") &&
           !loading_refused(l, "readiness", "type") && !loading_refused(l, "readiness", "delay") &&
           !loading_refused(l, "readiness", "timeout");
}

/* A restart is a stop and a start within one timeout: it must have room for both. */
static void check_timeouts(struct loading *l, struct service_spec *spec)
{
    const char *ready_key = NULL;
    int64_t ready_us = 0;

    if (!written(l, "readiness", "timeout"))
        spec->ready_timeout_us = spec->timeout_us - spec->stop_timeout_us;
    if (spec->ready_timeout_us < USEC_PER_MSEC)
        spec->ready_timeout_us = USEC_PER_MSEC;
    switch (spec->readiness) {
    case READINESS_DELAY:
        ready_key = "delay";
        ready_us = spec->ready_delay_us;
        break;
    case READINESS_FD:
        ready_key = "timeout";
        ready_us = spec->ready_timeout_us;
        break;
    case READINESS_IMMEDIATE: break;
    }
    if (spec->stop_timeout_us + ready_us > spec->timeout_us && times_known(l))
        refuse_sum(l, spec, ready_key, ready_us);
}

/* One way to reload, and one that it can take up. */
static void check_reload(struct loading *l)
{
    struct place signal = loading_place(l, "operation", "reload_signal"),
                 command = loading_place(l, "operation", "reload_command");
    bool command_last = command.line > signal.line;

    if (signal.line > 0 && command.line > 0)
        report_error(l->report, command_last ? command : signal,
                     command_last ? "reload_command" : "reload_signal",
                     "%s is set in line %d: a reload is the one or the other",
                     command_last ? "reload_signal" : "reload_command",
                     command_last ? signal.line : command.line);
}

/* A log that is rotated all the time is no log. */
static void check_max_age(struct loading *l, const struct service_spec *spec)
{
    if (spec->log_max_age_us > 0 && spec->log_max_age_us < USEC_PER_SEC)
        report_error(l->report, loading_place(l, "log", "max_age"), "max_age",
                     "expected 0 (any age) or at least 1s");
}

static void check_process(struct loading *l, struct service_spec *spec)
{
    check_command(l);
    check_timeouts(l, spec);
    check_reload(l);
    check_max_age(l, spec);
}

/* ---- units ---- */

static void check_unit(struct loading *l, struct service_spec *spec)
{
    if (!written(l, "service", "autostart"))
        spec->autostart = false;
    if (!written(l, "service", "unit") && !l->report->unclear)
        report_error(l->report, loading_place(l, "service", "backend"), "unit",
                     "[service] unit is required with backend = systemd");
}

/* ---- keys of the other backend ---- */

static void refuse_of_process(struct loading *l, const struct field *field, struct place place,
                              const struct service_spec *spec)
{
    const char *user = spec->bus == BUS_USER ? "--user " : "";

    if (spec->unit)
        report_error(
            l->report, place, field->name,
            "not with backend = systemd: the unit's own file says it (systemctl %sedit %s)", user,
            spec->unit);
    else
        report_error(l->report, place, field->name,
                     "not with backend = systemd: the unit's own file says it");
}

static void check_scopes(struct loading *l, const struct service_spec *spec)
{
    bool unit = spec_is_unit(spec);

    for (size_t i = 0; i < l->kind->field_count; i++) {
        const struct field *field = &l->kind->fields[i];
        enum scope scope = field_scope(l->kind, field);

        if (l->places[i].line == 0 || field->later)
            continue;
        if (scope == FOR_PROCESSES && unit)
            refuse_of_process(l, field, l->places[i], spec);
        else if (scope == FOR_UNITS && !unit)
            report_error(l->report, l->places[i], field->name, "only with backend = systemd");
    }
}

void whole_check(struct loading *l, struct service_spec *spec)
{
    bool said = written(l, "service", "backend");

    if (loading_refused(l, "service", "backend")) /* what it was meant to be can't be told */
        return;
    if (said || !l->report->unclear)
        check_scopes(l, spec);
    if (spec_is_unit(spec))
        check_unit(l, spec);
    else if (said || !written(l, "service", "unit")) /* or else backend has been forgotten */
        check_process(l, spec);
}
