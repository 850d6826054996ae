#include "record.h"

#include "fields.h"
#include "when.h"

#include "model/names.h"

#include <string.h>

/* How an action is said to have been done, and what it says when there was nothing to do. */
struct words {
    const char *action, *done, *needless;
};
static const struct words words[] = {
    {"start", "started", "already running"},
    {"stop", "stopped", "already stopped"},
    {"restart", "restarted", "restarted"},
    {"reload", "reloaded", "reloaded"},
};

static const struct words *words_of(const json_t *record)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(field_string(record, "action"), words[i].action) == 0)
            return &words[i];
    return NULL;
}

static int state_of(const json_t *record)
{
    return name_parse(&operation_state_names, field_string(record, "state"));
}

bool record_ended(const json_t *record)
{
    return state_of(record) >= OPERATION_SUCCEEDED;
}

enum status record_status(const json_t *record)
{
    switch (state_of(record)) {
    case OPERATION_QUEUED:
    case OPERATION_RUNNING:
    case OPERATION_SUCCEEDED: return STATUS_DONE;
    case OPERATION_TIMED_OUT: return STATUS_TIMED_OUT;
    default: return STATUS_FAILED;
    }
}

int64_t record_duration(const json_t *record)
{
    int64_t begin = when_parse(field_string(record, "started_at"));
    int64_t end = when_parse(field_string(record, "finished_at"));

    return begin && end ? end - begin : -1;
}

/* " in 1.2 s", or nothing when it never began. */
static void append_duration(const json_t *record, const char *before, struct text *to)
{
    int64_t us = record_duration(record);
    char text[WHEN_TEXT_SIZE];

    if (us < 0)
        return;
    when_exact(us, text);
    text_appendf(to, " %s %s", before, text);
}

static void append_success(const json_t *record, struct text *to)
{
    const struct words *w = words_of(record);

    if (field_given(record, "signal")) {
        harmless_append(to, field_string(record, "signal"));
        text_append(to, " sent");
    } else if (!w) {
        text_append(to, "done");
        append_duration(record, "in", to);
    } else if (!field_true(record, "changed")) {
        text_append(to, w->needless);
    } else {
        text_append(to, w->done);
        append_duration(record, "in", to);
    }
}

static void append_unended(const json_t *record, struct text *to)
{
    int64_t before = field_int(record, "position");

    harmless_append(to, field_string(record, "state"));
    if (before > 0)
        text_appendf(to, ", %lld before it", (long long)before);
    if (field_given(record, "waiting_for")) {
        text_append(to, ", waiting for ");
        harmless_append(to, field_string(record, "waiting_for"));
    }
    if (field_given(record, "coalesced_into"))
        text_appendf(to, ", done along with %lld", (long long)field_int(record, "coalesced_into"));
}

void record_line(const json_t *record, struct text *to)
{
    int state = state_of(record);

    harmless_append(to, field_string(record, "service"));
    text_append(to, ": ");
    if (!field_given(record, "id")) { /* of a goal: nothing had to be done for it */
        text_append(to, "the goal is ");
        harmless_append(to, field_string(record, "goal"));
        text_append(to, " already");
        return;
    }
    if (state == OPERATION_SUCCEEDED) {
        append_success(record, to);
        return;
    }
    harmless_append(to, field_string(record, "action"));
    text_appendf(to, " %lld ", (long long)field_int(record, "id"));
    switch (state) {
    case OPERATION_FAILED: text_append(to, "failed"); break;
    case OPERATION_TIMED_OUT: text_append(to, "timed out"); break;
    case OPERATION_CANCELLED:
    case OPERATION_SUPERSEDED:
    case OPERATION_INTERRUPTED:
        text_appendf(to, "was %s", operation_state_name((enum operation_state)state));
        return;
    default: append_unended(record, to); return;
    }
    append_duration(record, "after", to);
}

void record_action(const json_t *record, struct text *to)
{
    text_append(to, field_string(record, "action"));
    if (field_given(record, "signal"))
        text_appendf(to, " %s", field_string(record, "signal"));
}

static void print_output(const json_t *output)
{
    const json_t *line;
    size_t i;

    if (json_array_size(output) > 0)
        fprintf(stderr, "  the last lines it wrote:\n");
    json_array_foreach(output, i, line)
    {
        fprintf(stderr, "    ");
        harmless_print(stderr, json_string_value(line));
        fprintf(stderr, "\n");
    }
}

void record_complain(const json_t *record)
{
    struct text text = {0};

    if (!record_ended(record) || state_of(record) == OPERATION_SUCCEEDED)
        return;
    record_line(record, &text);
    if (field_given(record, "detail"))
        complain("%s: %s", text.data ? text.data : "", field_string(record, "detail"));
    else
        complain("%s", text.data ? text.data : "");
    text_deinit(&text);
    print_output(json_object_get(record, "output"));
}

json_t *record_list(const json_t *body)
{
    json_t *list = json_is_array(body) ? (json_t *)body : json_object_get(body, "operations");

    return json_is_array(list) ? list : NULL;
}
