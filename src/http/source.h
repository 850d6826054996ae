/* source - what a follower gives to its reader: bytes that are there, and more that may come.
 * Threads: read and wait on the connection's; close on whichever lets go last, perhaps when the
 * server has long gone. Ownership: close frees the source. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct source;

struct source_ops {
    /* Bytes; 0: nothing for now; -EAGAIN: the same, but something was passed over; -ENODATA: that
     * was all, for good; another -errno: it cannot go on. */
    ssize_t (*read)(struct source *source, char *buffer, size_t size);
    /* Calls done exactly once, also from any other thread: when there may be more, at until_mono,
     * or when no more waits are granted. */
    void (*wait)(struct source *source, int64_t until_mono, void (*done)(void *context),
                 void *context);
    void (*close)(struct source *source);
    const char *idle; /* what a reader is sent when nothing else has come for a while; NULL: nothing
                       */
};

struct source {
    const struct source_ops *ops;
};
