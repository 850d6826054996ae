#include "event_line.h"

#include "fields.h"
#include "screen.h"
#include "when.h"

#include "model/names.h"

#include <string.h>

static void append_after(struct text *to, const char *before, const char *value)
{
    if (*value == '\0')
        return;
    text_append(to, before);
    harmless_append(to, value);
}

/* Who asked and why is said with its acceptance, what came of it with its end. */
static void append_operation(const json_t *event, struct text *to)
{
    const json_t *operation = json_object_get(event, "operation");
    const char *state = field_string(operation, "state");

    harmless_append(to, field_string(operation, "action"));
    text_appendf(to, " %lld ", (long long)field_int(operation, "id"));
    harmless_append(to, state);
    if (strcmp(state, "queued") == 0) {
        append_after(to, " by ", field_string(operation, "requested_by"));
        append_after(to, ": ", field_string(operation, "reason"));
    }
    append_after(to, ": ", field_string(operation, "detail"));
}

static void append_state(const json_t *event, struct text *to)
{
    harmless_append(to, field_string(event, "to"));
    append_after(to, ", was ", field_string(event, "from"));
    append_after(to, "; goal ", field_string(event, "goal"));
}

static void append_exit(const json_t *event, struct text *to)
{
    const json_t *exit = json_object_get(event, "exit");

    text_appendf(to, "pid %lld ", (long long)field_int(event, "pid"));
    if (field_given(exit, "code")) {
        text_appendf(to, "exited with status %lld", (long long)field_int(exit, "code"));
    } else if (field_given(exit, "signal")) {
        text_append(to, "was killed by ");
        harmless_append(to, field_string(exit, "signal"));
    } else {
        text_append(to, "ended, nobody saw how");
    }
}

static void append_names(const json_t *event, const char *key, const char *words, struct text *to)
{
    const json_t *name;
    size_t i;

    json_array_foreach(json_object_get(event, key), i, name)
    {
        const char *word = json_string_value(name);

        text_append(to, i == 0 ? words : " ");
        harmless_append(to, word ? word : "?");
    }
}

static void append_config(const json_t *event, struct text *to)
{
    long long errors = field_int(event, "errors");

    text_append(to, "configuration read again");
    append_after(to, " for ", field_string(event, "requested_by"));
    append_names(event, "added", "; added: ", to);
    append_names(event, "removed", "; removed: ", to);
    append_names(event, "changed", "; changed: ", to);
    append_names(event, "restart_required", "; for the next daemon: ", to);
    if (errors > 0)
        text_appendf(to, "; %lld error%s", errors, errors == 1 ? "" : "s");
    if (field_given(event, "applied") && !field_true(event, "applied"))
        text_append(to, "; nothing was changed");
}

static void append_daemon(const json_t *event, struct text *to)
{
    const char *state = field_string(event, "state");

    if (strcmp(state, "started") == 0)
        text_append(to, "the daemon has started");
    else if (strcmp(state, "stopping") == 0)
        text_append(to, "the daemon ends and stops the services");
    else if (strcmp(state, "leaving") == 0)
        text_append(to, "the daemon ends and leaves the services running");
    else
        append_after(to, "the daemon: ", state);
}

/* Of a newer daemon. */
static void append_unknown(const json_t *event, struct text *to)
{
    char *whole = json_dumps(event, JSON_COMPACT);

    harmless_append(to, whole ? whole : "?");
    free(whole);
}

void event_line(const json_t *event, struct text *to)
{
    const char *service = field_string(event, "service");
    char when[WHEN_TEXT_SIZE];

    when_show(field_string(event, "at"), when);
    harmless_append(to, when);
    text_append(to, " ");
    harmless_append(to, *service ? service : "orderlyd");
    text_append(to, ": ");
    switch (name_parse(&event_kind_names, field_string(event, "event"))) {
    case EVENT_KIND_OPERATION: append_operation(event, to); break;
    case EVENT_KIND_STATE: append_state(event, to); break;
    case EVENT_KIND_EXIT: append_exit(event, to); break;
    case EVENT_KIND_CONFIG: append_config(event, to); break;
    case EVENT_KIND_DAEMON: append_daemon(event, to); break;
    default: append_unknown(event, to); break;
    }
}
