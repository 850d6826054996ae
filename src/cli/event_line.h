/* event_line - what has happened, said in a line.
 * Threads: any. Ownership: events are borrowed. */
#pragma once

#include "base/text.h"

#include <jansson.h>

/* "2026-11-20 18:44:12 backend: restart 42 queued by uid:0", without a newline; control characters
 * made harmless. */
void event_line(const json_t *event, struct text *to);
