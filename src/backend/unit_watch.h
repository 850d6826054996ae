/* unit_watch - what a unit is: found out when the bus is there, kept up by what systemd tells of
 * it, and told when it has changed.
 * Threads: the bus thread's. Ownership: as systemd_backend.h says. */
#pragma once

#include "systemd_backend.h"

/* It joins its bus, or leaves it for good and is freed. */
void unit_join(struct unit *u);
void unit_leave(struct unit *u);

/* The bus can be used, again or for the first time, or units have been loaded anew. */
void unit_load(struct unit *u);
/* A read that begins now; what it says, and what waits for it, is told. */
void unit_read(struct unit *u);
/* The same at the end of a job that went well, of what costs systemd little: what it says of the
 * service itself has come before, and if the two do not fit together, all of it is read. */
void unit_read_brief(struct unit *u);
/* A read, unless one is under way: what is heard before its answer is in the answer, since systemd
 * tells of things in their order. */
void unit_read_soon(struct unit *u);
/* The connection is gone: nothing that was asked will be answered. */
void unit_disconnect(struct unit *u);
/* Tells of it if that is news. */
void unit_show(struct unit *u);

/* A job of that unit has ended. */
void unit_job_removed(struct unit *u, const char *unit, const char *result);
/* PropertiesChanged of it. */
void unit_changed(struct unit *u, sd_bus_message *m);

/* Why nothing may be asked of it, whatever systemd says: it is another service's, or our own; ""
 * when it may be. */
void unit_forbidden(const struct unit *u, char text[static UNIT_SENTENCE_SIZE]);
