/* event_stream - a text/event-stream taken apart as it comes, in pieces of any size.
 * Threads: one. Ownership: event_stream_deinit(). */
#pragma once

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_stream {
    bool (*event)(void *context, const char *data); /* false: enough */
    void *context;
    int64_t last;     /* the id of the last one that came whole; -1: none yet */
    int64_t next;     /* of the one that has not ended yet */
    struct text line; /* that has not ended yet */
    struct text data; /* of the event that has not ended yet */
};

void event_stream_init(struct event_stream *stream, bool (*event)(void *context, const char *data),
                       void *context);
void event_stream_deinit(struct event_stream *stream);
/* false: event() said so, or there is no memory (then errno is ENOMEM). */
bool event_stream_feed(struct event_stream *stream, const char *bytes, size_t n);
/* What was not whole when the stream was cut off is forgotten: it will come again. */
void event_stream_cut(struct event_stream *stream);
