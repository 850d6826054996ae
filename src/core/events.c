#include "events.h"

#include "base/clock.h"
#include "base/log.h"
#include "journal/journal.h"

#include <assert.h>
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
    e->flushed = e->given = next - 1;
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

void event_begin(struct text *t, enum event_kind kind, const char *service)
{
    static const char room[] = "                                ,\"at\":";

    static_assert(sizeof room - 1 == NUMBER_ROOM + sizeof ",\"at\":" - 1, "the room's blanks");
    text_append_n(t, room, sizeof room - 1);
    text_json_utc(t, clock_utc_us());
    text_append(t, ",\"event\":\"");
    text_append(t, name_of(&event_kind_names, (int)kind));
    text_append(t, "\",\"service\":");
    text_json_string(t, service);
}

/* Where the object begins now. */
static uint8_t put_number(char *buffer, int64_t id)
{
    static const char key[] = "{\"id\":";
    char *at = buffer + NUMBER_ROOM;

    do
        *--at = (char)('0' + id % 10);
    while (id /= 10);
    at -= sizeof key - 1;
    memcpy(at, key, sizeof key - 1);
    return (uint8_t)(at - buffer);
}

/* Of what was not flushed so much at most: more would push itself out of memory. */
#define UNTOLD_MOST (EVENTS_KEPT / 2)

void events_take(struct events *e, enum event_kind kind, struct text *t)
{
    struct event *event;
    char *buffer, *old;
    size_t length;
    uint8_t begin;
    bool crowded;

    text_append_n(t, "}", 1);
    length = t->len;
    buffer = text_take(t);
    if (!buffer)
        return; /* without memory it is not told */
    events_lock(e);
    event = slot(e, e->next);
    old = event->buffer;
    begin = put_number(buffer, e->next);
    *event = (struct event){buffer, (uint32_t)(length - begin), begin, (uint8_t)kind};
    e->next++;
    crowded = e->next - 1 - e->flushed >= UNTOLD_MOST;
    events_unlock(e);
    free(old);
    if (crowded)
        events_flush(e);
}

void events_add(struct events *e, enum event_kind kind, const char *service, const char *members)
{
    struct text t = {0};

    event_begin(&t, kind, service);
    text_append(&t, members);
    events_take(e, kind, &t);
}

/* ---- to the journal ---- */

/* While a row is on its way the next one grows, but not beyond so many events: a turn's few cost as
 * much as many do. */
#define ROW_MOST 256

/* A row that was given to the journal, and which the journal has not done with. */
struct flight {
    struct list link;
    struct events *events;
    int64_t first;
};

struct row {
    struct journal_events events;
    struct text text;      /* "KIND JSON" a line */
    struct flight *flight; /* NULL: no memory for it */
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

/* The first event that is on its way to the journal; INT64_MAX: none is. */
static int64_t first_flight(struct events *e) REQUIRES(events_lock_class)
{
    return list_empty(&e->flights) ? INT64_MAX
                                   : list_entry(e->flights.next, struct flight, link)->first;
}

static void append_line(struct text *t, const struct event *event)
{
    text_append(t, name_of(&event_kind_names, event->kind));
    text_append_n(t, " ", 1);
    text_append_n(t, event->buffer + event->begin, event->length);
    text_append_n(t, "\n", 1);
}

/* What was told, still stands in memory, and is to be given to the journal now. */
static bool take_row(struct events *e, struct row *row) REQUIRES(events_lock_class)
{
    int64_t id = e->given + 1;

    if (e->given == e->flushed || (!list_empty(&e->flights) && e->flushed - e->given < ROW_MOST))
        return false;
    if (e->next - id > EVENTS_KEPT)
        id = e->next - EVENTS_KEPT;
    if (id > e->flushed) { /* nothing of it is left */
        e->given = e->flushed;
        return false;
    }
    *row = (struct row){
        .events = {.first = id, .last = e->flushed, .at_utc = clock_utc_us()},
        .flight = take_off(e, id),
    };
    for (; id <= e->flushed; id++)
        append_line(&row->text, slot(e, id));
    e->given = e->flushed;
    return true;
}

static void give(struct events *e, struct row *row);

static void landed(void *context, int result)
{
    struct flight *flight = context;
    struct events *e = flight->events;
    struct row row;
    bool awaited, more;

    events_lock(e);
    awaited = e->awaited && e->flights.next == &flight->link;
    if (awaited)
        e->awaited = false;
    list_remove(&flight->link);
    more = result != -ENOMEM && result != -ECANCELED && take_row(e, &row);
    events_unlock(e);
    free(flight);
    if (more)
        give(e, &row);
    if (awaited)
        wait_set_fire(e->waits, &e->waiters);
}

static void give(struct events *e, struct row *row)
{
    struct journal_entry entry = {
        .events = &row->events,
        .later = true,
        .done = row->flight ? landed : NULL,
        .context = row->flight,
    };

    row->events.text = row->text.data;
    if (row->text.failed || journal_submit(e->journal, &entry, 1) < 0) {
        log_error("out of memory: events %lld to %lld will not be found again",
                  (long long)row->events.first, (long long)row->events.last);
        if (row->flight)
            landed(row->flight, -ENOMEM);
    }
    text_deinit(&row->text);
}

void events_flush(struct events *e)
{
    struct row row;
    bool any, due;

    events_lock(e);
    any = e->flushed < e->next - 1;
    e->flushed = e->next - 1;
    due = take_row(e, &row);
    events_unlock(e);
    if (due)
        give(e, &row);
    if (any)
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

    if (!json)
        return;
    *json++ = '\0';
    kind = name_parse(&event_kind_names, line);
    if (kind < 0 || sscanf(json, "{\"id\":%" SCNd64, &id) != 1 || id <= r->after || id >= r->before)
        return;
    r->visitor->event(r->visitor->context, id, (enum event_kind)kind, json);
    r->after = id;
    r->left--;
}

static bool visit_row(void *context, char *text)
{
    struct reading *r = context;
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line && r->left > 0;
         line = strtok_r(NULL, "\n", &rest))
        visit_line(r, line);
    return r->left > 0;
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
        const struct event *event = slot(e, id);

        r->visitor->event(r->visitor->context, id, (enum event_kind)event->kind,
                          event->buffer + event->begin);
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
        result = journal_read_events(e->journal, r.after, visit_row, &r, err);
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
