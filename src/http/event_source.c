#include "event_source.h"

#include "base/list.h"
#include "base/text.h"
#include "core/supervisor.h"
#include "source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 128 /* events that are read at once */

struct event_source {
    struct source source;
    struct supervisor *supervisor;
    int64_t after;     /* the last one that was read */
    char *member;      /* what the object of one that is asked for holds; NULL: all are */
    struct text ready; /* for the reader */
    size_t given;      /* of it */
};

static struct event_source *of(struct source *source)
{
    return list_entry(source, struct event_source, source);
}

static void add(void *context, int64_t id, enum event_kind kind, const char *json)
{
    struct event_source *s = context;

    s->after = id;
    if (s->member && !strstr(json, s->member))
        return;
    text_appendf(&s->ready, "id: %" PRId64 "\nevent: %s\ndata: ", id,
                 name_of(&event_kind_names, (int)kind));
    text_append(&s->ready, json);
    text_append(&s->ready, "\n\n");
}

static ssize_t give(struct event_source *s, char *buffer, size_t size)
{
    size_t n = s->ready.len - s->given;

    if (n > size)
        n = size;
    memcpy(buffer, s->ready.data + s->given, n);
    s->given += n;
    return (ssize_t)n;
}

static ssize_t read_events(struct source *source, char *buffer, size_t size)
{
    struct event_source *s = of(source);
    const struct event_visitor visitor = {add, s};
    int64_t before = s->after;
    struct error err = {0};
    int result;

    if (s->given < s->ready.len)
        return give(s, buffer, size);
    text_clear(&s->ready);
    s->given = 0;
    result = supervisor_read_events(s->supervisor, s->after, PIECE, &visitor, &err);
    if (s->ready.failed)
        return -ENOMEM;
    if (s->ready.len > 0)
        return give(s, buffer, size);
    if (result < 0)
        return result == -EAGAIN || result == -ENODATA ? -EIO : result;
    return s->after > before ? -EAGAIN : 0;
}

static void wait_events(struct source *source, int64_t until_mono, void (*done)(void *context),
                        void *context)
{
    supervisor_wait_events(of(source)->supervisor, of(source)->after, until_mono, done, context);
}

static void close_events(struct source *source)
{
    text_deinit(&of(source)->ready);
    free(of(source)->member);
    free(of(source));
}

static const struct source_ops event_ops = {read_events, wait_events, close_events, ":\n\n"};

/* ,"service":"web" - quotes inside of strings are escaped, so that nothing else looks like it. */
static char *member_of(const char *service)
{
    struct text t = {0};

    text_append(&t, ",\"service\":");
    text_json_string(&t, service);
    return text_take(&t);
}

struct source *event_source_new(struct supervisor *supervisor, int64_t after, const char *service)
{
    struct event_source *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    *s = (struct event_source){.source = {&event_ops}, .supervisor = supervisor, .after = after};
    /* Where it begins is the last id until another comes, and the header goes out at once. */
    text_appendf(&s->ready, "retry: 1000\nid: %" PRId64 "\n\n", after);
    if (service)
        s->member = member_of(service);
    if (s->ready.failed || (service && !s->member)) {
        close_events(&s->source);
        return NULL;
    }
    return &s->source;
}
