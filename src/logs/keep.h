/* keep - from the FIFO to the file, and from one file to the next.
 * Threads: the logs' thread only. Ownership: none. */
#pragma once

#include "state.h"

#define CAPTURE_MAX (256 * 1024) /* of one stream at a time, for the sake of the others */

/* Takes one portion of at most max bytes: how many, or -errno and nothing was. The file is opened
 * where it is not; a note of what was dropped before goes first. */
ssize_t keep(struct channel *ch, const struct settings *s, size_t max);
/* The note alone, when there is one. 0 or -errno. */
int keep_note(struct channel *ch, const struct settings *s);
/* Takes and forgets; dropped: it is a loss, which is counted. */
ssize_t keep_nothing(struct channel *ch, size_t max, bool dropped);
