#include "encode.h"

#include <stdlib.h>

void encode_operations(struct operation *operations, size_t count, struct text *t)
{
    text_append(t, "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text_append(t, ",");
        operation_json(&operations[i], t);
        operation_deinit(&operations[i]);
    }
    free(operations);
    text_append(t, "]");
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

void encode_reload(const struct reload_result *result, const char *token_file, int token_line,
                   const char *token_error, struct text *t)
{
    bool first = true;

    text_append(t, "{");
    append_names(t, "added", &result->added);
    append_names(t, "removed", &result->removed);
    append_names(t, "changed", &result->changed);
    append_names(t, "unchanged", &result->unchanged);
    text_append(t, "\"errors\":[");
    for (size_t i = 0; i < result->problems.count; i++) {
        const struct problem *p = &result->problems.items[i];

        if (p->warning)
            continue;
        append_error(t, first, p->file, p->line, p->key, p->message);
        first = false;
    }
    if (token_error)
        append_error(t, first, token_file, token_line, NULL, token_error);
    text_append(t, "]}");
}
