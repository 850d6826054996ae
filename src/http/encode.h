/* encode - the larger answers as JSON.
 * Threads: any. */
#pragma once

#include "base/text.h"
#include "core/supervisor.h"
#include "reread.h"

void encode_operations(const struct operation *operations, size_t count, struct text *t);
/* {"batch":…,"operations":[…]}; without the first when batch is 0. */
void encode_batch(int64_t batch, const struct operation *operations, size_t count, struct text *t);
/* The operations and their array. */
void operations_free(struct operation *operations, size_t count);
/* ,"memory_bytes":…,"cpu_seconds":…,"tasks":…; NULL: unknown. */
void encode_usage(const struct usage *usage, struct text *t);
struct log_trouble;
/* ,"log":{"error":…,"times":…,"dropped_bytes":…}; NULL: unknown. */
void encode_trouble(const struct log_trouble *trouble, struct text *t);
/* {"added":[…],"removed":[…],"changed":[…],"unchanged":[…],"restart_required":[…],"errors":[…]};
 * the faults are errors too. */
void encode_reload(const struct reload_result *result, const struct reread_fault *faults,
                   size_t count, struct text *t);
