#include "base/own_unit.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-login.h>

static bool is_service(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && strcmp(dot, ".service") == 0;
}

/* Below a user's manager the system's sees only user@<uid>.service. */
bool own_unit_find(struct own_unit *ret_unit)
{
    CLEANUP(freep) char *name = NULL;
    CLEANUP(freep) char *slice = NULL;
    bool user;

    if (sd_booted() <= 0)
        return false;
    user = sd_pid_get_user_unit(0, &name) >= 0;
    if (!user && sd_pid_get_unit(0, &name) < 0)
        return false;
    if (!is_service(name) || strlen(name) >= OWN_UNIT_SIZE)
        return false;
    if ((user ? sd_pid_get_user_slice(0, &slice) : sd_pid_get_slice(0, &slice)) < 0 ||
        strlen(slice) >= OWN_UNIT_SIZE)
        return false;
    *ret_unit = (struct own_unit){.user = user};
    strcpy(ret_unit->name, name);
    strcpy(ret_unit->slice, slice);
    return true;
}

static int private_address(const struct own_unit *unit, char **ret_address)
{
    const char *folder = unit->user ? secure_getenv("XDG_RUNTIME_DIR") : "/run";

    if (!folder)
        return -ENXIO;
    return asprintf(ret_address, "unix:path=%s/systemd/private", folder) < 0 ? -ENOMEM : 0;
}

static int connect_privately(const struct own_unit *unit, sd_bus **ret_bus)
{
    CLEANUP(freep) char *address = NULL;
    sd_bus *bus = NULL;
    int r = private_address(unit, &address);

    if (r < 0) {
        address = NULL;
        return r;
    }
    r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_set_address(bus, address);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r < 0) {
        sd_bus_unref(bus);
        return r;
    }
    *ret_bus = bus;
    return 0;
}

int own_unit_connect(const struct own_unit *unit, uint64_t limit_us, sd_bus **ret_bus,
                     struct error *err)
{
    sd_bus *bus = NULL;
    int r = connect_privately(unit, &bus);

    if (r < 0)
        r = unit->user ? sd_bus_open_user(&bus) : sd_bus_open_system(&bus);
    if (r < 0)
        return error_set(err, r, "connect to systemd: %m");
    sd_bus_set_method_call_timeout(bus, limit_us);
    *ret_bus = bus;
    return 0;
}
