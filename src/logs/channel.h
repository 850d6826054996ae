/* channel - making and freeing one: its FIFO, and its file where there is to be one.
 * Threads: any. Ownership: channel_open() gives it to the caller until a log takes it. */
#pragma once

#include "state.h"

/* must: make the FIFO when it is missing; else there may be none, and *ret_channel is NULL. */
int channel_open(struct log *log, enum stream stream, const struct service_spec *spec, bool must,
                 struct channel **ret_channel, struct error *err);
void channel_free(struct channel *ch); /* NULL is fine */
