/* gate - where a connection stands still until somebody has news for it.
 *
 * libmicrohttpd wants a connection suspended before another thread may resume it, while the news
 * may come before that, from the asking thread itself too: under the gate's lock the two can't
 * miss each other. Threads: gate_pass() for the connection's own thread, inside its handler;
 * gate_open() for any, also when the connection has long gone. Ownership: none. */
#pragma once

#include "base/lock.h"

#include <stdbool.h>

struct MHD_Connection;

extern struct lock_class gate_lock_class;

struct gate {
    struct lock lock;
    struct MHD_Connection *connection GUARDED_BY(gate_lock_class); /* NULL: it has gone */
    bool open GUARDED_BY(gate_lock_class);
    bool suspended GUARDED_BY(gate_lock_class);
};

void gate_init(struct gate *gate, struct MHD_Connection *connection);
void gate_deinit(struct gate *gate);
/* True: the gate was open, and is shut behind us. False: the connection is suspended; return to
 * libmicrohttpd, which calls again once the gate has been opened. */
bool gate_pass(struct gate *gate) EXCLUDES(gate_lock_class);
void gate_open(struct gate *gate) EXCLUDES(gate_lock_class);
/* The connection is done with: opening does nothing any more. */
void gate_forget(struct gate *gate) EXCLUDES(gate_lock_class);
