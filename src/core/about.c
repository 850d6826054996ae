/* What the daemon says of itself: its part of the status, its version, whether it is well.
 * Threads: any. */
#include "base/clock.h"
#include "supervisor_private.h"

#include <stdio.h>
#include <unistd.h>

#define ALIVE_WITHIN (1 * USEC_PER_SEC)

static void json_capabilities(const struct supervisor *supervisor, struct text *t)
{
    const struct process_capabilities *c = &supervisor->capabilities;

    text_append(t, "{\"cgroup\":");
    text_json_bool(t, c->cgroup);
    text_append(t, ",\"clone3\":");
    text_json_bool(t, c->clone3);
    text_append(t, ",\"pidfd_exit_info\":");
    text_json_bool(t, c->exit_info);
    text_append(t, ",\"memory_limit\":");
    text_json_bool(t, c->memory_limit);
    text_append(t, ",\"cpu_limit\":");
    text_json_bool(t, c->cpu_limit);
    text_append(t, ",\"tasks_limit\":");
    text_json_bool(t, c->tasks_limit);
    text_append(t, "}");
}

static void json_problem(const struct problem *p, struct text *t)
{
    text_append(t, "{\"file\":");
    text_json_string(t, p->file);
    text_append(t, ",\"line\":");
    if (p->line > 0)
        text_json_int(t, p->line);
    else
        text_append(t, "null");
    text_append(t, ",\"key\":");
    text_json_string(t, p->key);
    text_append(t, ",\"message\":");
    text_json_string(t, p->message);
    text_append(t, "}");
}

void supervisor_daemon_json(struct supervisor *supervisor, struct text *t)
{
    struct registry *registry = &supervisor->registry;
    char journal[256];

    text_append(t, "{\"version\":\"" ORDERLY_VERSION "\",\"pid\":");
    text_json_int(t, getpid());
    text_append(t, ",\"since\":");
    text_json_utc(t, supervisor->since_utc);
    text_append(t, ",\"journal\":");
    text_json_string(t, journal_writable(supervisor->host.journal, journal) ? "ok" : journal);
    text_append(t, ",\"journal_warning\":");
    text_json_string(t, journal_warning(supervisor->host.journal, journal) ? journal : NULL);
    text_append(t, ",\"config_errors\":[");
    registry_lock(registry);
    for (size_t i = 0; i < registry->problems.count; i++) {
        if (i > 0)
            text_append(t, ",");
        json_problem(&registry->problems.items[i], t);
    }
    registry_unlock(registry);
    text_append(t, "],\"capabilities\":");
    json_capabilities(supervisor, t);
    text_append(t, "}");
}

void supervisor_version_json(struct supervisor *supervisor, struct text *t)
{
    text_append(t, "{\"version\":\"" ORDERLY_VERSION "\",\"capabilities\":");
    json_capabilities(supervisor, t);
    text_append(t, ",\"systemd\":{");
    for (int bus = BUS_SYSTEM; bus <= BUS_USER; bus++) {
        char health[256];

        systemd_backend_health(supervisor->host.units, (enum bus_type)bus, health);
        text_appendf(t, "%s\"%s\":", bus > BUS_SYSTEM ? "," : "", name_of(&bus_type_names, bus));
        text_json_string(t, health);
    }
    text_append(t, "}}");
}

bool supervisor_accepting(struct supervisor *supervisor, char text[static 256])
{
    if (atomic_load(&supervisor->host.closing)) {
        snprintf(text, 256, "the daemon is shutting down");
        return false;
    }
    return journal_writable(supervisor->host.journal, text);
}

bool supervisor_alive(struct supervisor *supervisor)
{
    return ping_ask(&supervisor->ping, clock_mono_us() + ALIVE_WITHIN);
}

struct revision supervisor_revision(struct supervisor *supervisor)
{
    return board_revision(&supervisor->host.board);
}

bool supervisor_read_status(struct supervisor *supervisor, uint64_t since,
                            const struct status_visitor *visitor, struct revision *ret_revision)
{
    return board_read(&supervisor->host.board, since, visitor, ret_revision);
}

void supervisor_wait_status(struct supervisor *supervisor, uint64_t since, int64_t until_mono,
                            wait_done *done, void *context)
{
    board_wait(&supervisor->host.board, since, until_mono, done, context);
}

int supervisor_read_events(struct supervisor *supervisor, int64_t after, size_t most,
                           const struct event_visitor *visitor, struct error *err)
{
    return events_read(&supervisor->host.events, after, most, visitor, err);
}

int64_t supervisor_last_event(struct supervisor *supervisor)
{
    return events_last(&supervisor->host.events);
}

void supervisor_wait_events(struct supervisor *supervisor, int64_t after, int64_t until_mono,
                            wait_done *done, void *context)
{
    events_wait(&supervisor->host.events, after, until_mono, done, context);
}

struct logs *supervisor_logs(struct supervisor *supervisor)
{
    return supervisor->host.logs;
}

const struct config *supervisor_config(struct supervisor *supervisor)
{
    return supervisor->host.config;
}

struct watcher *supervisor_watcher(struct supervisor *supervisor)
{
    return supervisor->host.watcher;
}
