#include "model/operation.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void operation_deinit(struct operation *op)
{
    free(op->reason);
    free(op->waiting_for);
    free(op->detail);
    string_list_clear(&op->output);
    op->reason = op->waiting_for = op->detail = NULL;
}

int operation_copy(struct operation *to, const struct operation *from)
{
    struct operation copy = *from;

    copy.reason = from->reason ? strdup(from->reason) : NULL;
    copy.waiting_for = from->waiting_for ? strdup(from->waiting_for) : NULL;
    copy.detail = from->detail ? strdup(from->detail) : NULL;
    copy.output = (struct string_list){0};
    if ((from->reason && !copy.reason) || (from->waiting_for && !copy.waiting_for) ||
        (from->detail && !copy.detail))
        goto fail;
    for (size_t i = 0; i < from->output.count; i++)
        if (string_list_add(&copy.output, from->output.items[i]) < 0)
            goto fail;
    *to = copy;
    return 0;
fail:
    operation_deinit(&copy);
    return -ENOMEM;
}

/* Whole seconds as 30, parts of one as 0.5. */
static void json_seconds(struct text *t, int64_t us)
{
    text_json_int(t, us / USEC_PER_SEC);
    if (us % USEC_PER_SEC)
        text_appendf(t, ".%06d", (int)(us % USEC_PER_SEC));
}

static void json_id(struct text *t, const char *key, int64_t id)
{
    text_append(t, key);
    if (id)
        text_json_int(t, id);
    else
        text_append(t, "null");
}

/* A word of ours: nothing in it is to be escaped. */
static void json_word(struct text *t, const char *key, const char *word)
{
    text_append(t, key);
    text_append_n(t, "\"", 1);
    text_append(t, word);
    text_append_n(t, "\"", 1);
}

static void json_what(struct text *t, const struct operation *op)
{
    json_word(t, ",\"action\":", action_name(op->action));
    json_word(t, ",\"state\":", operation_state_name(op->state));
    text_append(t, op->changed ? ",\"changed\":true" : ",\"changed\":false");
    json_word(t, ",\"origin\":", name_of(&origin_names, (int)op->origin));
    text_append(t, ",\"requested_by\":");
    text_json_string(t, op->requested_by);
}

static void json_signal(struct text *t, const struct operation *op)
{
    char name[16];

    text_append(t, ",\"signal\":");
    if (op->action == ACTION_SIGNAL)
        signal_name(op->signal, name);
    text_json_string(t, op->action == ACTION_SIGNAL ? name : NULL);
}

void operation_json_brief(const struct operation *op, struct text *t)
{
    text_append(t, "{\"id\":");
    text_json_int(t, op->id);
    json_what(t, op);
    json_signal(t, op);
    json_id(t, ",\"batch\":", op->batch);
    json_id(t, ",\"coalesced_into\":", op->coalesced_into);
    text_append(t, ",\"reason\":");
    text_json_string(t, op->reason);
    text_append(t, ",\"detail\":");
    text_json_string(t, op->detail);
    text_append(t, "}");
}

void operation_json(const struct operation *op, struct text *t)
{
    text_append(t, "{\"id\":");
    text_json_int(t, op->id);
    text_append(t, ",\"service\":");
    text_json_string(t, op->service);
    json_what(t, op);
    json_id(t, ",\"batch\":", op->batch);
    text_append(t, ",\"position\":");
    text_json_int(t, op->position);
    text_append(t, ",\"waiting_for\":");
    text_json_string(t, op->waiting_for);
    json_id(t, ",\"coalesced_into\":", op->coalesced_into);
    text_append(t, ",\"accepted_at\":");
    text_json_utc(t, op->accepted_utc);
    text_append(t, ",\"started_at\":");
    text_json_utc(t, op->started_utc);
    text_append(t, ",\"finished_at\":");
    text_json_utc(t, op->finished_utc);
    text_append(t, ",\"timeout_seconds\":");
    json_seconds(t, op->timeout_us);
    json_signal(t, op);
    text_append(t, ",\"reason\":");
    text_json_string(t, op->reason);
    text_append(t, ",\"durable\":");
    text_json_bool(t, op->durable);
    text_append(t, ",\"detail\":");
    text_json_string(t, op->detail);
    text_append(t, ",\"exit\":");
    exit_cause_json(op->exit, t);
    text_append(t, ",\"output\":[");
    for (size_t i = 0; i < op->output.count; i++) {
        if (i > 0)
            text_append(t, ",");
        text_json_string(t, op->output.items[i]);
    }
    text_append(t, "]}");
}
