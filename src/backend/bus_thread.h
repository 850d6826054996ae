/* bus_thread - the one thread that touches the connections and the units on them.
 * Threads: as each says. */
#pragma once

#include "systemd_backend.h"

/* Any thread; once. 0 or -errno. */
int bus_thread_start(struct systemd_backend *b) REQUIRES(mail_lock_class);

/* The bus thread's: hands the event to the listener, unless the unit has been released. */
void tell_unit(struct unit *u, const struct backend_event *event);
