/* asking - a request for operations on its way to the core, and the answer to it.
 * Threads: the connection's; the core's answer comes on whatever thread committed it. */
#pragma once

#include "core/supervisor.h"

struct exchange;

enum asked {
    ASKED_ONE,       /* the one item is done */
    ASKED_IF_NEEDED, /* unless the service has, or is on its way to, the goal */
    ASKED_BATCH,
};
/* Mode, coalescing, reason, key and waiting are x's parameters. */
void ask(struct exchange *x, const struct request_item *items, size_t count, enum asked asked);
/* Whether x's client wants to wait. */
bool wants_wait(const struct exchange *x);
