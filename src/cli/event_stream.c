#include "event_stream.h"

#include "base/units.h"

#include <errno.h>
#include <string.h>

void event_stream_init(struct event_stream *s, bool (*event)(void *context, const char *data),
                       void *context)
{
    *s = (struct event_stream){.event = event, .context = context, .last = -1, .next = -1};
}

void event_stream_deinit(struct event_stream *s)
{
    text_deinit(&s->line);
    text_deinit(&s->data);
}

void event_stream_cut(struct event_stream *s)
{
    text_clear(&s->line);
    text_clear(&s->data);
    s->next = s->last;
}

static const char *value_of(const char *line, const char *name)
{
    size_t n = strlen(name);

    if (strncmp(line, name, n) != 0 || line[n] != ':')
        return NULL;
    return line + n + 1 + (line[n + 1] == ' ');
}

/* Comments, the kind (the data tells it too) and how long to pause are passed over. */
static bool take_line(struct event_stream *s, const char *line)
{
    const char *value;
    int64_t id;
    bool more = true;

    if (*line == '\0') {
        if (s->data.len > 0)
            more = s->event(s->context, s->data.data);
        text_clear(&s->data);
        s->last = s->next;
    } else if ((value = value_of(line, "id"))) {
        if (units_parse_int(value, &id) == 0 && id >= 0)
            s->next = id;
    } else if ((value = value_of(line, "data"))) {
        text_append(&s->data, s->data.len > 0 ? "\n" : "");
        text_append(&s->data, value);
    }
    return more;
}

bool event_stream_feed(struct event_stream *s, const char *bytes, size_t n)
{
    bool more = true;

    while (more && n > 0) {
        const char *end = memchr(bytes, '\n', n);
        size_t part = end ? (size_t)(end - bytes) : n;

        text_append_n(&s->line, bytes, part);
        if (end) {
            more = take_line(s, s->line.data ? s->line.data : "");
            text_clear(&s->line);
            part++;
        }
        bytes += part;
        n -= part;
        if (s->line.failed || s->data.failed) {
            errno = ENOMEM;
            return false;
        }
    }
    return more;
}
