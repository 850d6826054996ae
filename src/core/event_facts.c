/* What is told of services and their operations.
 * Threads: the turn's, and of operations whoever accepts or ends them. */
#include "events.h"

#include "host.h"
#include "service.h"

#include <inttypes.h>

static void add(struct service *s, enum event_kind kind, struct text *members)
{
    if (!members->failed)
        events_add(&s->host->events, kind, s->name, members->data);
    text_deinit(members);
}

static void event_number(struct text *t, int64_t id)
{
    if (id)
        text_json_int(t, id);
    else
        text_append(t, "null");
}

static void event_signal(struct text *t, const struct operation *r)
{
    char name[16];

    text_append(t, ",\"signal\":");
    if (r->action == ACTION_SIGNAL)
        signal_name(r->signal, name);
    text_json_string(t, r->action == ACTION_SIGNAL ? name : NULL);
}

void event_operation(struct op *op)
{
    const struct operation *r = &op->record;
    struct text t = {0};

    service_lock(op->service);
    text_appendf(&t,
                 ",\"operation\":{\"id\":%" PRId64
                 ",\"action\":\"%s\",\"state\":\"%s\",\"changed\":%s,\"origin\":\"%s\","
                 "\"requested_by\":",
                 r->id, action_name(r->action), operation_state_name(r->state),
                 r->changed ? "true" : "false", name_of(&origin_names, (int)r->origin));
    text_json_string(&t, r->requested_by);
    event_signal(&t, r);
    text_append(&t, ",\"batch\":");
    event_number(&t, r->batch);
    text_append(&t, ",\"coalesced_into\":");
    event_number(&t, r->coalesced_into);
    text_append(&t, ",\"reason\":");
    text_json_string(&t, r->reason);
    text_append(&t, ",\"detail\":");
    text_json_string(&t, r->detail);
    text_append(&t, "}");
    service_unlock(op->service);
    add(op->service, EVENT_KIND_OPERATION, &t);
}

void event_state(struct service *s, enum service_state before)
{
    struct text t = {0};

    text_appendf(&t, ",\"from\":\"%s\",\"to\":\"%s\",\"goal\":\"%s\",\"generation\":%" PRId64,
                 service_state_name(before), service_state_name(s->machine.state),
                 name_of(&goal_names, (int)s->machine.goal), s->generation);
    add(s, EVENT_KIND_STATE, &t);
}

void event_exit(struct service *s, pid_t pid, struct exit_cause cause)
{
    struct text t = {0};

    text_appendf(&t, ",\"pid\":%d,\"generation\":%" PRId64 ",\"exit\":", (int)pid, s->generation);
    exit_cause_json(cause, &t);
    add(s, EVENT_KIND_EXIT, &t);
}
