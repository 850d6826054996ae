#include "service_text.h"

#include "fields.h"
#include "record.h"
#include "when.h"

#include "base/clock.h"
#include "base/units.h"
#include "model/names.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int state_of(const json_t *service)
{
    return name_parse(&service_state_names, field_string(service, "state"));
}

enum colour service_colour(const json_t *service)
{
    switch (state_of(service)) {
    case STATE_RUNNING: return field_true(service, "ready") ? COLOUR_GOOD : COLOUR_BUSY;
    case STATE_STOPPED: return COLOUR_FAINT;
    case STATE_FAILED: return COLOUR_BAD;
    default: return COLOUR_BUSY;
    }
}

/* "code 1", "SIGKILL", "unknown"; nothing when there is none. */
static void append_exit(const json_t *exit, struct text *to)
{
    if (field_given(exit, "code"))
        text_appendf(to, "code %lld", (long long)field_int(exit, "code"));
    else if (field_given(exit, "signal"))
        text_append(to, field_string(exit, "signal"));
    else if (field_true(exit, "unknown"))
        text_append(to, "unknown");
}

/* "4s (attempt 3 of 5)" */
static void append_recovery(const json_t *recovery, int64_t now, struct text *to)
{
    int64_t left = when_parse(field_string(recovery, "next_attempt")) - now;
    char text[WHEN_TEXT_SIZE];

    when_rough(left > 0 ? left + USEC_PER_SEC - 1 : 0, text);
    text_appendf(to, "%s (attempt %lld", text, (long long)field_int(recovery, "attempt"));
    if (field_given(recovery, "attempts"))
        text_appendf(to, " of %lld", (long long)field_int(recovery, "attempts"));
    text_append(to, ")");
}

static void begin_part(struct text *to, const char *word)
{
    if (to->len > 0)
        text_append(to, ", ");
    text_append(to, word);
}

/* The last exit explains a service that is down against its will, or that went down by itself. */
static bool exit_matters(const json_t *service)
{
    const json_t *exit = json_object_get(service, "last_exit");
    int state = state_of(service);

    if (state == STATE_FAILED || state == STATE_BACKOFF)
        return json_is_object(exit);
    return state == STATE_STOPPED && field_int(exit, "code") != 0;
}

void service_note(const json_t *service, int64_t now, struct text *to)
{
    const char *unit = field_string(service, "unit"), *fault = field_string(service, "unit_error");

    if (*unit && !strstr(fault, unit)) /* else that names it */
        begin_part(to, unit);
    if (*fault)
        begin_part(to, fault);
    if (field_true(service, "stuck"))
        begin_part(to, "stuck");
    if (field_given(service, "waiting_for")) {
        begin_part(to, "waiting for ");
        text_append(to, field_string(service, "waiting_for"));
    }
    if (field_given(service, "recovery")) {
        begin_part(to, "next start in ");
        append_recovery(json_object_get(service, "recovery"), now, to);
    }
    if (exit_matters(service)) {
        begin_part(to, "last exit: ");
        append_exit(json_object_get(service, "last_exit"), to);
    }
    if (field_given(service, "config_error"))
        begin_part(to, "config error");
    if (field_true(service, "config_changed"))
        begin_part(to, "config changed");
    if (field_given(service, "log_error")) {
        begin_part(to, "log: ");
        text_append(to, field_string(service, "log_error"));
    }
}

/* "  name           value", nothing when the value is empty. */
static void print_line(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void print_line(const char *name, const char *format, ...)
{
    va_list arguments;
    char *value;
    int n;

    va_start(arguments, format);
    n = vasprintf(&value, format, arguments);
    va_end(arguments);
    if (n < 0)
        return;
    if (n > 0) {
        printf("  %-13s ", name);
        harmless_print(stdout, value);
        putchar('\n');
    }
    free(value);
}

static void print_head(const json_t *service, const struct screen *screen)
{
    enum colour colour = service_colour(service);

    harmless_print(stdout, field_string(service, "name"));
    printf(": %s", colour_begin(screen, colour));
    harmless_print(stdout, field_string(service, "state"));
    if (state_of(service) == STATE_RUNNING)
        printf(field_true(service, "ready") ? ", ready" : ", not ready");
    printf("%s%s\n", colour_end(screen, colour), field_true(service, "stuck") ? ", stuck" : "");
}

/* "12.3M", rounded. */
static void format_size(int64_t bytes, char text[static UNITS_TEXT_SIZE])
{
    static const char units[] = "KMGT";
    double value = (double)bytes / 1024;
    size_t i = 0;

    for (; value >= 1024 && i + 2 < sizeof units; i++)
        value /= 1024;
    snprintf(text, UNITS_TEXT_SIZE, "%.1f%c", value, units[i]);
}

static void print_unit(const json_t *service)
{
    const char *state = field_string(service, "unit_state");

    if (!field_given(service, "unit"))
        return;
    print_line("unit", *state ? "%s (%s)" : "%s", field_string(service, "unit"), state);
    print_line("unit error", "%s", field_string(service, "unit_error"));
    print_line("invocation", "%s", field_string(service, "invocation_id"));
}

static void print_instance(const json_t *service, int64_t now)
{
    const char *since = field_string(service, "state_since");
    char when[WHEN_TEXT_SIZE], age[WHEN_TEXT_SIZE];

    when_show(since, when);
    when_rough(now - when_parse(since), age);
    if (*when)
        print_line("since", "%s UTC (%s)", when, age);
    if (field_given(service, "pid"))
        print_line("pid", "%lld", (long long)field_int(service, "pid"));
    print_line("generation", "%lld", (long long)field_int(service, "generation"));
    print_line("goal", "%s", field_string(service, "goal"));
    print_line("restarts", "%lld, automatic", (long long)field_int(service, "restarts"));
    print_line("containment", "%s", field_string(service, "containment"));
}

/* Of the whole tree, as far as it is known. */
static void print_usage(const json_t *service)
{
    char memory[UNITS_TEXT_SIZE];

    if (field_given(service, "memory_bytes")) {
        format_size(field_int(service, "memory_bytes"), memory);
        print_line("memory", "%s", memory);
    }
    if (field_given(service, "cpu_seconds"))
        print_line("cpu", "%.1f s", json_number_value(json_object_get(service, "cpu_seconds")));
    if (field_given(service, "tasks"))
        print_line("tasks", "%lld", (long long)field_int(service, "tasks"));
}

static void print_log(const json_t *service)
{
    const json_t *log = json_object_get(service, "log");
    long long times = field_int(log, "times"), dropped = field_int(log, "dropped_bytes");

    print_line("log error", "%s", field_string(log, "error"));
    if (times > 0)
        print_line("log failures", "%lld", times);
    if (dropped > 0)
        print_line("log dropped", "%lld bytes", dropped);
}

static void print_prospect(const json_t *service, int64_t now)
{
    struct text t = {0};

    append_exit(json_object_get(service, "last_exit"), &t);
    print_line("last exit", "%s", t.data ? t.data : "");
    text_clear(&t);
    if (field_given(service, "recovery"))
        append_recovery(json_object_get(service, "recovery"), now, &t);
    print_line("next start in", "%s", t.data ? t.data : "");
    text_deinit(&t);
    print_line("waiting for", "%s", field_string(service, "waiting_for"));
    if (field_given(service, "active_operation"))
        print_line("operation", "%lld", (long long)field_int(service, "active_operation"));
    print_line("queue", "%lld", (long long)field_int(service, "queue_length"));
}

static void print_configuration(const json_t *service)
{
    const json_t *tags = json_object_get(service, "tags"), *tag;
    struct text t = {0};
    size_t i;

    print_line("description", "%s", field_string(service, "description"));
    json_array_foreach(tags, i, tag)
    {
        text_append(&t, i > 0 ? ", " : "");
        text_append(&t, json_is_string(tag) ? json_string_value(tag) : "?");
    }
    print_line("tags", "%s", t.data ? t.data : "");
    text_deinit(&t);
    print_line("autostart", "%s", field_true(service, "autostart") ? "yes" : "no");
    if (field_true(service, "config_changed"))
        print_line("config", field_given(service, "unit")
                                 ? "the unit's files have changed: systemctl daemon-reload"
                                 : "changed, takes effect at the next start");
    print_line("config error", "%s", field_string(service, "config_error"));
}

void service_print(const json_t *service, int64_t now, const struct screen *screen)
{
    const json_t *recent = record_list(service);

    print_head(service, screen);
    print_configuration(service);
    print_unit(service);
    print_instance(service, now);
    print_prospect(service, now);
    print_usage(service);
    print_log(service);
    if (json_array_size(recent) == 0)
        return;
    putchar('\n');
    record_print_history(recent, screen);
}
