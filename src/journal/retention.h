/* retention - ended operations beyond history_count and history_age, events beyond JOURNAL_EVENTS
 * and that age, and keys that are too old are taken out, oldest first, a bounded number at a
 * time, as a part of transactions that write anyhow.
 * Threads: the leader. */
#pragma once

#include "store.h"

/* Whether the transaction that is being written should prune as well. */
bool retention_due(const struct store *store);
/* Within a transaction; a result of SQLite's. */
int retention_prune(struct store *store);
/* At open: what a smaller limit or a long pause left over, as far as it can be written. */
void retention_catch_up(struct store *store);
