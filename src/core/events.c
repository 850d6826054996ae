#include "events.h"

#include "base/clock.h"
#include "base/log.h"
#include "journal/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
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
    lock_init(&e->lock, LOCK_EVENTS);
    list_init(&e->waiters);
    list_init(&e->flights);
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
        free(e->ring[i].buffer);
    lock_deinit(&e->lock);
}

static struct event *slot(struct events *e, int64_t id) REQUIRES(events_lock_class)
{
    return &e->ring[id % EVENTS_KEPT];
}

/* The room before an event's text, for its number: that is given last, under the lock. */
#define NUMBER_ROOM 32

static char *without_number(enum event_kind kind, const char *service, const char *members)
{
    struct text t = {0};

    text_appendf(&t, "%*s,\"at\":", NUMBER_ROOM, "");
    text_json_utc(&t, clock_utc_us());
    text_appendf(&t, ",\"event\":\"%s\",\"service\":", name_of(&event_kind_names, (int)kind));
    text_json_string(&t, service);
    text_append(&t, members);
    text_append(&t, "}");
    return text_take(&t);
}

static const char *put_number(char *buffer, int64_t id)
{
    char number[NUMBER_ROOM];
    int len = snprintf(number, sizeof number, "{\"id\":%" PRId64, id);

    return memcpy(buffer + NUMBER_ROOM - len, number, (size_t)len);
}

void events_add(struct events *e, enum event_kind kind, const char *service, const char *members)
{
    char *buffer = without_number(kind, service, members), *old;
    struct event *event;

    if (!buffer)
        return; /* without memory it is not told */
    events_lock(e);
    event = slot(e, e->next);
    old = event->buffer;
    *event = (struct event){kind, buffer, put_number(buffer, e->next)};
    e->next++;
    events_unlock(e);
    free(old);
}

/* ---- to the journal ---- */

/* A row that was given to the journal, and which the journal has not done with. */
struct flight {
    struct list link;
    struct events *events;
    int64_t first;
};

static struct flight *take_off(struct events *e, int64_t first) REQUIRES(events_lock_class)
{
    struct flight *flight = calloc(1, sizeof *flight);

    if (!flight) /* without memory a late reader may miss it */
        return NULL;
    *flight = (struct flight){.events = e, .first = first};
    list_append(&e->flights, &flight->link);
    return flight;
}

static void landed(void *context, int result)
{
    struct flight *flight = context;
    struct events *e = flight->events;
    bool awaited;

    (void)result; /* what was dropped will not be found */
    events_lock(e);
    awaited = e->awaited && e->flights.next == &flight->link;
    if (awaited)
        e->awaited = false;
    list_remove(&flight->link);
    events_unlock(e);
    free(flight);
    if (awaited)
        wait_set_fire(e->waits, &e->waiters);
}

/* The first event that is on its way to the journal; INT64_MAX: none is. */
static int64_t first_flight(struct events *e) REQUIRES(events_lock_class)
{
    return list_empty(&e->flights) ? INT64_MAX
                                   : list_entry(e->flights.next, struct flight, link)->first;
}

/* "KIND JSON" a line, of what is new and still stands in memory; NULL without memory. False: there
 * is nothing new. */
static bool take_new(struct events *e, struct journal_events *row, char **ret_text,
                     struct flight **ret_flight)
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
    *ret_flight = any ? take_off(e, row->first) : NULL;
    events_unlock(e);
    *ret_text = any ? text_take(&t) : NULL;
    return any;
}

void events_flush(struct events *e)
{
    struct journal_events row = {.at_utc = clock_utc_us()};
    struct journal_entry entry = {.events = &row, .later = true, .done = landed};
    struct flight *flight;
    char *text;

    if (!take_new(e, &row, &text, &flight))
        return;
    row.text = text;
    entry.context = flight;
    if (!flight)
        entry.done = NULL;
    if (!text || journal_submit(e->journal, &entry, 1) < 0) {
        log_error("out of memory: events %lld to %lld will not be found again",
                  (long long)row.first, (long long)row.last);
        if (flight)
            landed(flight, -ENOMEM);
    }
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

/* The first that memory holds. */
static int64_t oldest_of(struct events *e) REQUIRES(events_lock_class)
{
    return e->next - EVENTS_KEPT > e->first ? e->next - EVENTS_KEPT : e->first;
}

/* What was told and still stands in memory. False: what comes next no longer does; *ret_oldest is
 * the first that might, and up to r->before the journal has what it will ever have. */
static bool read_ring(struct events *e, struct reading *r, int64_t *ret_oldest)
    EXCLUDES(events_lock_class)
{
    int64_t id = r->after + 1;

    events_lock(e);
    *ret_oldest = oldest_of(e);
    r->before = first_flight(e) < *ret_oldest ? first_flight(e) : *ret_oldest;
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
    int64_t oldest;
    int result = 0;

    while (result == 0 && !read_ring(e, &r, &oldest)) {
        result = journal_read_events(e->journal, r.after, r.left, visit_row, &r, err);
        if (r.left == 0 || r.before < oldest)
            break;
        if (r.after < oldest - 1)
            r.after = oldest - 1; /* the journal does not have it */
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
    bool behind, waits;

    events_lock(e); /* what is flushed or lands later fires after it was set under this lock */
    behind = after + 1 < oldest_of(e) && first_flight(e) < oldest_of(e);
    e->awaited = e->awaited || behind;
    waits = (behind || e->flushed <= after) &&
            wait_set_add(e->waits, &e->waiters, until_mono, done, context);
    events_unlock(e);
    if (!waits)
        done(context);
}
