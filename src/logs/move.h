/* move - what is counted when bytes leave a FIFO, and where in the stream we are.
 * Threads: the logs' thread, but for log_position(). Ownership: none. */
#pragma once

#include "state.h"

/* Around whatever takes bytes from the channel's FIFO, as short as it can be. */
struct moved {
    size_t taken;   /* from the FIFO */
    size_t filed;   /* written to the file: whoever waits for more is told */
    size_t dropped; /* thrown away, for want of room */
};
void move_begin(struct channel *ch) EXCLUDES(logs_lock_class);
void move_end(struct channel *ch, const struct moved *moved) EXCLUDES(logs_lock_class);
/* For what is neither in the FIFO nor taken from it. */
void move_count(struct channel *ch, const struct moved *moved) EXCLUDES(logs_lock_class);

/* What a position means for one of the streams. */
int64_t move_position(struct log *log, int64_t position, enum stream stream)
    EXCLUDES(logs_lock_class);
/* As stderr begins: from here on the last positions are kept, for not all is stdout any more;
 * up to here it is, even while bytes are being moved. 0 or -ENOMEM. */
int move_mark(struct log *log) REQUIRES(logs_lock_class);
int64_t move_captured(struct channel *ch) EXCLUDES(logs_lock_class);
