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

void event_operation(struct op *op)
{
    struct text t = {0};

    text_append(&t, ",\"operation\":");
    service_lock(op->service);
    operation_json_brief(&op->record, &t);
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
