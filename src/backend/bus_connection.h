/* bus_connection - one bus: opened when the first unit needs it, watched for what systemd tells,
 * opened again when it goes away, closed with its last unit.
 * Threads: the bus thread's. Ownership: the connection is the bus's; slots on it are the units'. */
#pragma once

#include "systemd_backend.h"

void bus_init(struct bus *bus, struct systemd_backend *backend, enum bus_type type);
/* A unit needs it now: opened if it is not, soon if it is away. */
void bus_need(struct bus *bus);
/* Nothing needs it any more. */
void bus_close(struct bus *bus);

/* Whether calls may be made. */
bool bus_ready(const struct bus *bus);
/* Works off some of what has come; true: there may be more. */
bool bus_process(struct bus *bus);
/* What is due by now, and when the next thing is; CLOCK_NEVER. */
void bus_pass_time(struct bus *bus, int64_t now);
int64_t bus_next_time(const struct bus *bus);
