/* record - the record of an operation, said in words.
 * Threads: any. Ownership: records are borrowed. */
#pragma once

#include "cli.h"

#include <jansson.h>

bool record_ended(const json_t *record);
/* What orderlyctl exits with when it ended like that. */
enum status record_status(const json_t *record);

/* "backend: restart 42 queued, 2 before it", "backend: restarted in 1.2 s" */
void record_line(const json_t *record, struct text *to);
/* "restart", "signal SIGHUP" */
void record_action(const json_t *record, struct text *to);
/* Why it did not succeed and what the service wrote last, on stderr; nothing when it did. */
void record_complain(const json_t *record);
/* How long it ran, in microseconds; -1: it has not begun or not ended. */
int64_t record_duration(const json_t *record);

/* The operations in an answer of GET /operations: a borrowed array, or NULL. */
json_t *record_list(const json_t *body);

/* Operations in columns: what has happened, and what is still to come. */
void record_print_history(const json_t *list, const struct screen *screen);
void record_print_queue(const json_t *list, const struct screen *screen);
