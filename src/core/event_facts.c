/* What is told of services and their operations.
 * Threads: the turn's, and of operations whoever accepts or ends them. */
#include "events.h"

#include "host.h"
#include "service.h"

#include <inttypes.h>

void event_operation(struct op *op)
{
    struct service *s = op->service;
    struct text t = {0};

    event_begin(&t, EVENT_KIND_OPERATION, s->name);
    text_append(&t, ",\"operation\":");
    service_lock(s);
    operation_json_brief(&op->record, &t);
    service_unlock(s);
    events_take(&s->host->events, EVENT_KIND_OPERATION, &t);
}

void event_state(struct service *s, enum service_state before)
{
    struct text t = {0};

    event_begin(&t, EVENT_KIND_STATE, s->name);
    text_appendf(&t, ",\"from\":\"%s\",\"to\":\"%s\",\"goal\":\"%s\",\"generation\":%" PRId64,
                 service_state_name(before), service_state_name(s->machine.state),
                 name_of(&goal_names, (int)s->machine.goal), s->generation);
    events_take(&s->host->events, EVENT_KIND_STATE, &t);
}

void event_exit(struct service *s, pid_t pid, struct exit_cause cause)
{
    struct text t = {0};

    event_begin(&t, EVENT_KIND_EXIT, s->name);
    text_appendf(&t, ",\"pid\":%d,\"generation\":%" PRId64 ",\"exit\":", (int)pid, s->generation);
    exit_cause_json(cause, &t);
    events_take(&s->host->events, EVENT_KIND_EXIT, &t);
}
