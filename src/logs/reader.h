/* reader - reads a service's files on from some place, whoever rotates them.
 * Threads: one at a time; it shares nothing with the logs' thread but the file system.
 * Ownership: log_reader_close() frees it. */
#pragma once

#include "state.h"

/* As log_reader_open(), going back over back bytes at most. */
int reader_open(struct logs *logs, const char *service, enum stream stream, size_t lines,
                int64_t back, struct log_reader **ret_reader);
