/* rotate - where one file ends and the next begins: at the end of a line.
 * Threads: the logs' thread only. Ownership: none. */
#pragma once

#include "state.h"

/* What is to be written to the current file, and whether it is full then. bytes may be 0: it is
 * full now. */
struct portion {
    size_t bytes;
    bool rotate;
};

/* The file's size beyond which no line begins; 0: none at the moment. */
int64_t rotate_limit(const struct channel *ch, const struct settings *s);
/* Of count bytes that are to be written. size is the file's. */
struct portion rotate_cut(const struct channel *ch, int64_t limit, int64_t size, const char *data,
                          size_t count);
/* Whether what is written next begins a line; so it does in an empty file. */
bool rotate_at_line(const struct channel *ch, int64_t size);

/* A failure is remembered: for a second nothing is rotated for its size then. 0 or -errno. */
int rotate_now(struct channel *ch, const struct settings *s);
/* Now, or when the line has its end: -EBUSY. -ENODATA: an empty file is left alone, but for one
 * that somebody has moved away. */
int rotate_when_possible(struct channel *ch, const struct settings *s);
