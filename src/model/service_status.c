#include "model/service_status.h"

#include <stdlib.h>

void status_deinit(struct service_status *status)
{
    spec_unref(status->spec);
    free(status->waiting_for);
    free(status->config_error);
    free(status->log_error);
    free(status->unit_error);
    free(status->unit_state);
    free(status->invocation_id);
    free(status->place);
    *status = (struct service_status){0};
}

void status_free(struct service_status *status)
{
    if (status)
        status_deinit(status);
    free(status);
}

static void json_int_or_null(struct text *t, int64_t value)
{
    if (value)
        text_json_int(t, value);
    else
        text_append(t, "null");
}

static void json_recovery(const struct service_status *s, struct text *t)
{
    if (!s->recovering) {
        text_append(t, "null");
        return;
    }
    text_append(t, "{\"attempt\":");
    text_json_int(t, s->attempt);
    text_append(t, ",\"attempts\":");
    json_int_or_null(t, s->spec->attempts);
    text_append(t, ",\"next_attempt\":");
    text_json_utc(t, s->next_attempt_utc);
    text_append(t, "}");
}

void status_json(const struct service_status *s, struct text *t)
{
    text_append(t, "{\"name\":");
    text_json_string(t, s->spec->name);
    text_append(t, ",\"description\":");
    text_json_string(t, s->spec->description ? s->spec->description : "");
    text_appendf(
        t, ",\"backend\":\"%s\",\"unit\":", name_of(&backend_type_names, (int)s->spec->backend));
    text_json_string(t, s->spec->unit);
    text_append(t, ",\"tags\":[");
    for (size_t i = 0; i < s->spec->tags.count; i++) {
        if (i > 0)
            text_append(t, ",");
        text_json_string(t, s->spec->tags.items[i]);
    }
    text_appendf(t, "],\"state\":\"%s\",\"ready\":%s,\"health\":null,\"goal\":\"%s\"",
                 service_state_name(s->state), s->ready ? "true" : "false",
                 name_of(&goal_names, (int)s->goal));
    text_appendf(t,
                 ",\"autostart\":%s,\"stuck\":%s,\"pid\":", s->spec->autostart ? "true" : "false",
                 s->stuck ? "true" : "false");
    json_int_or_null(t, s->pid);
    text_append(t, ",\"generation\":");
    text_json_int(t, s->generation);
    text_append(t, ",\"state_since\":");
    text_json_utc(t, s->state_since_utc);
    text_append(t, ",\"restarts\":");
    text_json_int(t, s->restarts);
    text_append(t, ",\"last_exit\":");
    exit_cause_json(s->last_exit, t);
    text_append(t, ",\"active_operation\":");
    json_int_or_null(t, s->active_operation);
    text_appendf(t, ",\"queue_length\":%d,\"waiting_for\":", s->queue_length);
    text_json_string(t, s->waiting_for);
    text_append(t, ",\"recovery\":");
    json_recovery(s, t);
    text_append(t, ",\"containment\":");
    if (s->containment == CONTAINMENT_NONE)
        text_append(t, "null");
    else
        text_json_string(t, name_of(&containment_names, (int)s->containment));
    text_append(t, ",\"config_changed\":");
    text_json_bool(t, s->config_changed);
    text_append(t, ",\"config_error\":");
    text_json_string(t, s->config_error);
    text_append(t, ",\"unit_error\":");
    text_json_string(t, s->unit_error);
    text_append(t, ",\"log_error\":");
    text_json_string(t, s->log_error);
    text_append(t, "}");
}
