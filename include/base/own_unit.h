/* own_unit - the systemd unit that this process is a part of, and its manager. Outside of a service
 * unit, and where no systemd runs, nothing is asked and nobody is talked to.
 * Threads: any; a connection belongs to the thread that opened it. Ownership: as each says. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#define OWN_UNIT_SIZE 256

struct own_unit {
    char name[OWN_UNIT_SIZE];  /* "orderlyd.service" */
    char slice[OWN_UNIT_SIZE]; /* "system.slice" */
    bool user;                 /* of the user's manager, not of the system's */
};

/* False: we are in no service unit. */
bool own_unit_find(struct own_unit *ret_unit);

/* A connection of its own to the manager, on which no call takes longer than limit_us: by its
 * private socket, for which no D-Bus daemon is needed, or over the bus. The caller's to
 * sd_bus_flush_close_unref(). */
int own_unit_connect(const struct own_unit *unit, uint64_t limit_us, sd_bus **ret_bus,
                     struct error *err);

#define MANAGER_NAME      "org.freedesktop.systemd1"
#define MANAGER_PATH      "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define MANAGER_UNIT      "org.freedesktop.systemd1.Unit"
#define MANAGER_JOB       "org.freedesktop.systemd1.Job"
