/* bus - the system bus, as a small program uses it: what goes wrong is the end.
 *
 * Threads: one. */
#pragma once

#include <systemd/sd-bus.h>

#define SYSTEMD_NAME    "org.freedesktop.systemd1"
#define SYSTEMD_PATH    "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define SYSTEMD_UNIT    "org.freedesktop.systemd1.Unit"
#define SYSTEMD_UNITS   "/org/freedesktop/systemd1/unit"

/* Says what failed, and that the bus said so with -errno. */
__attribute__((noreturn)) void bus_die(int r, const char *what);

sd_bus *bus_open(void);
void bus_subscribe(sd_bus *bus);
/* A call of systemd's manager; the answer is the caller's. */
sd_bus_message *bus_manager_call(sd_bus *bus, const char *method, const char *types, ...);
/* Handles one message, or waits for one, at most ten seconds. */
void bus_turn(sd_bus *bus);
