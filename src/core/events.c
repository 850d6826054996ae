#include "events.h"

#include "base/clock.h"
#include "host.h"
#include "journal/journal.h"
#include "service.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct lock_class events_lock_class;

static void events_lock(struct events *e) ACQUIRE(events_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&e->lock);
}

static void events_unlock(struct events *e) RELEASE(events_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&e->lock);
}

void events_init(struct events *e, struct wait_set *waits) NO_THREAD_SAFETY_CHECK
{
    lock_init(&e->lock);
    list_init(&e->waiters);
    e->waits = waits;
}

void events_begin(struct events *e, struct journal *journal, int64_t next)
{
    events_lock(e);
    e->journal = journal;
    e->next = e->first = next;
    e->flushed = next - 1;
    events_unlock(e);
}

void events_deinit(struct events *e) NO_THREAD_SAFETY_CHECK
{
    for (size_t i = 0; i < EVENTS_KEPT; i++)
        free(e->ring[i].json);
    lock_deinit(&e->lock);
}

static struct event *slot(struct events *e, int64_t id) REQUIRES(events_lock_class)
{
    return &e->ring[id % EVENTS_KEPT];
}

static char *whole(int64_t id, enum event_kind kind, const char *service, const char *members)
{
    struct text t = {0};

    text_appendf(&t, "{\"id\":%" PRId64 ",\"at\":", id);
    text_json_utc(&t, clock_utc_us());
    text_appendf(&t, ",\"event\":\"%s\",\"service\":", name_of(&event_kind_names, (int)kind));
    text_json_string(&t, service);
    text_append(&t, members);
    text_append(&t, "}");
    return text_take(&t);
}

void events_add(struct events *e, enum event_kind kind, const char *service, const char *members)
{
    struct event *event;
    char *json;

    events_lock(e);
    json = whole(e->next, kind, service, members);
    if (json) { /* without memory it is not told */
        event = slot(e, e->next);
        free(event->json);
        *event = (struct event){e->next++, kind, json};
    }
    events_unlock(e);
}

/* ---- to the journal ---- */

/* "KIND JSON" a line, of what is new and still stands in memory; NULL without memory. False: there
 * is nothing new. */
static bool take_new(struct events *e, struct journal_events *row, char **ret_text)
{
    struct text t = {0};
    int64_t id;
    bool any;

    events_lock(e);
    id = e->flushed + 1;
    if (e->next - id > EVENTS_KEPT)
        id = e->next - EVENTS_KEPT;
    any = id < e->next;
    row->first = id;
    for (; id < e->next; id++)
        text_appendf(&t, "%s %s\n", name_of(&event_kind_names, (int)slot(e, id)->kind),
                     slot(e, id)->json);
    row->last = e->flushed = e->next - 1;
    events_unlock(e);
    *ret_text = any ? text_take(&t) : NULL;
    return any;
}

void events_flush(struct events *e)
{
    struct journal_events row = {.at_utc = clock_utc_us()};
    char *text;

    if (!take_new(e, &row, &text))
        return;
    row.text = text;
    if (text) /* without memory what was told is not found again */
        journal_submit(e->journal, &(struct journal_entry){.events = &row}, 1);
    free(text);
    wait_set_fire(e->waits, &e->waiters);
}

/* ---- reading ---- */

struct reading {
    const struct event_visitor *visitor;
    int64_t after, before;
    size_t left;
};

/* A line of a row: "KIND {"id":N,...". */
static void visit_line(struct reading *r, char *line)
{
    char *json = strchr(line, ' ');
    int64_t id;
    int kind;

    if (!json || r->left == 0)
        return;
    *json++ = '\0';
    kind = name_parse(&event_kind_names, line);
    if (kind < 0 || sscanf(json, "{\"id\":%" SCNd64, &id) != 1 || id <= r->after || id >= r->before)
        return;
    r->visitor->event(r->visitor->context, id, (enum event_kind)kind, json);
    r->after = id;
    r->left--;
}

static void visit_row(void *context, char *text)
{
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        visit_line(context, line);
}

/* What was told and still stands in memory. False: what comes next no longer does, *ret_oldest is
 * the first that might. */
static bool read_ring(struct events *e, struct reading *r, int64_t *ret_oldest)
    EXCLUDES(events_lock_class)
{
    int64_t id = r->after + 1;

    events_lock(e);
    *ret_oldest = e->next - EVENTS_KEPT > e->first ? e->next - EVENTS_KEPT : e->first;
    for (; id >= *ret_oldest && id <= e->flushed && r->left > 0; id++) {
        r->visitor->event(r->visitor->context, id, slot(e, id)->kind, slot(e, id)->json);
        r->after = id;
        r->left--;
    }
    events_unlock(e);
    return id >= *ret_oldest;
}

/* The ring goes on while the journal is read: then the next piece comes from there too. */
int events_read(struct events *e, int64_t after, size_t most, const struct event_visitor *visitor,
                struct error *err)
{
    struct reading r = {.visitor = visitor, .after = after, .left = most};
    int result = 0;

    while (result == 0 && !read_ring(e, &r, &r.before)) {
        result = journal_read_events(e->journal, r.after, r.left, visit_row, &r, err);
        if (r.left == 0)
            break;
        if (r.after < r.before - 1)
            r.after = r.before - 1; /* the journal does not have it */
    }
    return result;
}

int64_t events_last(struct events *e)
{
    int64_t last;

    events_lock(e);
    last = e->flushed;
    events_unlock(e);
    return last;
}

void events_wait(struct events *e, int64_t after, int64_t until_mono, wait_done *done,
                 void *context)
{
    bool waits;

    events_lock(e); /* what is flushed later fires after it was set under this lock */
    waits = e->flushed <= after && wait_set_add(e->waits, &e->waiters, until_mono, done, context);
    events_unlock(e);
    if (!waits)
        done(context);
}

/* ---- what is told of services ---- */

static void add(struct service *s, enum event_kind kind, struct text *members)
{
    if (!members->failed)
        events_add(&s->host->events, kind, s->name, members->data);
    text_deinit(members);
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
