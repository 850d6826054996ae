/* bus_call - calls to systemd, so many at once: a bus answers a client that leaves more than some
 * hundred unanswered with errors. What is beyond waits in line.
 * Threads: the bus thread's. Ownership: a call lies behind the pointer in its unit that it was made
 * with, which is NULL again when it is answered or dropped. */
#pragma once

#include "base/list.h"

#include <stdbool.h>
#include <systemd/sd-bus.h>

struct bus;
struct unit;
struct bus_call;

/* m is the answer, good or not; the call is over by then. */
typedef void bus_answer(struct unit *u, sd_bus_message *m);

/* A call to the object at path; the answer comes to back. One that is there already is dropped, but
 * keeps its place in line. 0 or -errno: -ENOTCONN when the bus is not ready. */
int bus_call(struct unit *u, struct bus_call **place, const char *path, const char *interface,
             const char *method, bus_answer *back, const char *types, ...);
/* The same with a message that is made already; it is borrowed. */
int bus_call_message(struct unit *u, struct bus_call **place, sd_bus_message *m, bus_answer *back);
/* Whether it is on its way, and not in line; NULL is not. */
bool bus_call_is_sent(const struct bus_call *call);
/* Its answer will not come to anybody. */
void bus_call_drop(struct bus_call **place);

/* The lines of one connection. */
struct bus_calls {
    struct list sent, waiting;
    size_t sent_count;
};
void bus_calls_init(struct bus_calls *calls);
/* The connection goes: nothing is answered any more, and every place was dropped before. */
void bus_calls_clear(struct bus_calls *calls);
