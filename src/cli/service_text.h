/* service_text - a service's row of the status, said in words.
 * Threads: any. Ownership: rows are borrowed. */
#pragma once

#include "screen.h"

#include <jansson.h>
#include <stdint.h>

enum colour service_colour(const json_t *service);
/* What matters most: "next start in 4s (attempt 3)", "waiting for redis", "last exit: code 1". */
void service_note(const json_t *service, int64_t now_utc, struct text *to);
/* All of it, a line each, with the operations of late. */
void service_print(const json_t *service, int64_t now_utc, const struct screen *screen);
