/* follower - a service's log on its way to a reader: the last lines, and then what comes.
 *
 * Threads: read and end on the connection's; woken from the logs' thread. Ownership: counted
 * references: one is the response's, one that of a wait that has not called back; the wait may
 * outlive the server. */
#pragma once

#include "base/list.h"
#include "gate.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Response;
struct exchange;
struct http;
struct log_reader;

struct follower {
    atomic_int references;
    struct gate gate;
    struct list link; /* of the server's followers */
    struct http *http;
    int fd;
    struct log_reader *reader;
    bool follow;
    size_t lines_left; /* without follow: so many lines and no more */
    bool waits;        /* a wait was begun, and the gate not passed since */
    int64_t look_mono; /* until then it stands, if nothing comes */
    int empty_wakes;   /* woken before, one after the other, and nothing was there */
};

/* Takes the reader. NULL without memory. */
struct MHD_Response *follower_start(struct exchange *x, struct log_reader *reader, size_t lines,
                                    bool follow);
/* Ends every stream; the server is stopping. */
void followers_wake(struct http *http);
