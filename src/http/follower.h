/* follower - an answer that goes on: what a source has, and then what comes.
 *
 * Threads: read and end on the connection's; woken from the source's. Ownership: counted
 * references: one is the response's, one that of a wait that has not called back; the wait may
 * outlive the server. */
#pragma once

#include "base/list.h"
#include "gate.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct MHD_Response;
struct exchange;
struct http;
struct source;
struct visit;

struct follower {
    atomic_int references;
    struct gate gate;
    struct list link; /* of the server's followers */
    struct http *http;
    int fd;
    struct visit *visit; /* the connection's */
    struct source *source;
    bool by_token;     /* over TCP: ends when a token is taken away */
    unsigned revoked;  /* how often that had been when it began */
    bool waits;        /* a wait was begun, and the gate not passed since */
    int64_t look_mono; /* when it is time to look who is still there; 0: no wait was begun */
    int empty_wakes;   /* woken before, one after the other, and nothing was there */
};

/* Takes the source. NULL without memory. */
struct MHD_Response *follower_start(struct exchange *x, struct source *source);
/* Ends every stream; the server is stopping. */
void followers_wake(struct http *http);
