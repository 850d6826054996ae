/* systemd - the backend that drives units of a systemd manager, the system's or the user's, over
 * D-Bus.
 *
 * One thread owns both connections; calls here only leave a request for it. Whatever the answer to
 * a job is, the unit is read again before it is told. A connection that goes away is opened again,
 * with backoff and jitter; what was under way is then judged by what the unit is, and never sent
 * twice. A request waits some seconds for a connection, then it fails and says why.
 * Threads and ownership: as backend.h says. */
#pragma once

#include "backend/backend.h"

/* Connects to nothing until a unit is adopted. */
int systemd_backend_new(backend_listener *listener, struct backend **ret_backend,
                        struct error *err);
/* Joins the thread; every instance must have been released. NULL is fine. */
void systemd_backend_free(struct backend *backend);

/* Whether a spec's unit may be driven by us at all: not the one that we ourselves run in. false:
 * text says why not. Any thread; does not block. */
bool systemd_backend_can_drive(const struct service_spec *spec, char text[static 256]);

/* Whether each bus is connected now ("ok"), has not been needed ("unused"), or why it is not; for
 * /version and /status. */
void systemd_backend_health(struct backend *backend, enum bus_type bus, char text[static 256]);
