/* event_source - events as a source, in the form of text/event-stream: for each the lines "id",
 * "event" and "data", and a comment when nothing has come for a while.
 * Threads: as a source. Ownership: the source's close() frees it; it must not be read or waited
 * for once the supervisor is gone. */
#pragma once

#include <stdint.h>

struct source;
struct supervisor;

/* What comes after that id; service NULL: of all. NULL without memory. */
struct source *event_source_new(struct supervisor *supervisor, int64_t after, const char *service);
