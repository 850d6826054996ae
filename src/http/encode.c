#include "encode.h"

#include "base/clock.h"
#include "logs/logs.h"

#include <stdlib.h>
#include <string.h>

void encode_operations(const struct operation *operations, size_t count, struct text *t)
{
    text_append(t, "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text_append(t, ",");
        operation_json(&operations[i], t);
    }
    text_append(t, "]");
}

void encode_batch(int64_t batch, const struct operation *operations, size_t count, struct text *t)
{
    text_append(t, "{");
    if (batch) {
        text_append(t, "\"batch\":");
        text_json_int(t, batch);
        text_append(t, ",");
    }
    text_append(t, "\"operations\":");
    encode_operations(operations, count, t);
    text_append(t, "}");
}

void operations_free(struct operation *operations, size_t count)
{
    for (size_t i = 0; i < count; i++)
        operation_deinit(&operations[i]);
    free(operations);
}

static void append_number(struct text *t, const char *key, int64_t value)
{
    text_appendf(t, ",\"%s\":", key);
    if (value >= 0)
        text_json_int(t, value);
    else
        text_append(t, "null");
}

void encode_usage(const struct usage *usage, struct text *t)
{
    int64_t cpu = usage ? usage->cpu_us : -1;

    append_number(t, "memory_bytes", usage ? usage->memory_bytes : -1);
    append_number(t, "cpu_seconds", cpu < 0 ? cpu : cpu / USEC_PER_SEC);
    if (cpu >= 0)
        text_appendf(t, ".%06d", (int)(cpu % USEC_PER_SEC));
    append_number(t, "tasks", usage ? usage->tasks : -1);
}

void encode_trouble(const struct log_trouble *trouble, struct text *t)
{
    int error = trouble ? trouble->error ? trouble->error : trouble->rotate_error : 0;
    char text[128];

    if (!trouble) {
        text_append(t, ",\"log\":null");
        return;
    }
    text_append(t, ",\"log\":{\"error\":");
    text_json_string(t, error ? strerror_r(-error, text, sizeof text) : NULL);
    append_number(t, "times", (int64_t)trouble->times);
    append_number(t, "dropped_bytes", (int64_t)trouble->dropped_bytes);
    text_append(t, "}");
}

static void append_names(struct text *t, const char *key, const struct string_list *names)
{
    text_appendf(t, "\"%s\":[", key);
    for (size_t i = 0; i < names->count; i++) {
        if (i > 0)
            text_append(t, ",");
        text_json_string(t, names->items[i]);
    }
    text_append(t, "],");
}

static void append_error(struct text *t, bool first, const char *file, int line, const char *key,
                         const char *message)
{
    text_append(t, first ? "{\"file\":" : ",{\"file\":");
    text_json_string(t, file);
    text_append(t, ",\"line\":");
    if (line > 0)
        text_json_int(t, line);
    else
        text_append(t, "null");
    text_append(t, ",\"key\":");
    text_json_string(t, key);
    text_append(t, ",\"message\":");
    text_json_string(t, message);
    text_append(t, "}");
}

void encode_reload(const struct reload_result *result, const struct reread_fault *faults,
                   size_t count, struct text *t)
{
    bool first = true;

    text_append(t, "{");
    append_names(t, "added", &result->added);
    append_names(t, "removed", &result->removed);
    append_names(t, "changed", &result->changed);
    append_names(t, "unchanged", &result->unchanged);
    append_names(t, "restart_required", &result->restart_required);
    text_append(t, "\"errors\":[");
    for (size_t i = 0; i < result->problems.count; i++) {
        const struct problem *p = &result->problems.items[i];

        if (p->warning)
            continue;
        append_error(t, first, p->file, p->line, p->key, p->message);
        first = false;
    }
    for (size_t i = 0; i < count; i++) {
        append_error(t, first, faults[i].file, faults[i].line, NULL, faults[i].err.text);
        first = false;
    }
    text_append(t, "]}");
}
