/* log_source - a service's log as a source: the last lines, and with follow what is written next.
 * Threads: as a source. Ownership: the source's close() frees it, and closes the reader. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct log_reader;
struct source;

/* Takes the reader. Without follow the source ends after so many lines. NULL without memory. */
struct source *log_source_new(struct log_reader *reader, size_t lines, bool follow);
