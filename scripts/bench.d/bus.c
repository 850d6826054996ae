/* bus - the system bus, as a small program uses it. */
#include "bus.h"

#include "measure.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define WAIT_US (10 * UINT64_C(1000000))

void bus_die(int r, const char *what)
{
    die("%s: %s", what, strerror(-r));
}

sd_bus *bus_open(void)
{
    sd_bus *bus;
    int r = sd_bus_open_system(&bus);

    if (r < 0)
        bus_die(r, "connect to the system bus");
    return bus;
}

void bus_subscribe(sd_bus *bus)
{
    sd_bus_message_unref(bus_manager_call(bus, "Subscribe", ""));
}

sd_bus_message *bus_manager_call(sd_bus *bus, const char *method, const char *types, ...)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply;
    va_list args;
    int r;

    va_start(args, types);
    r = sd_bus_call_methodv(bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, method, &error,
                            &reply, types, args);
    va_end(args);
    if (r < 0)
        die("%s: %s", method, error.message ? error.message : strerror(-r));
    return reply;
}

void bus_turn(sd_bus *bus)
{
    int r = sd_bus_process(bus, NULL);

    if (r < 0)
        bus_die(r, "read from the bus");
    if (r > 0)
        return;
    r = sd_bus_wait(bus, WAIT_US);
    if (r < 0 && r != -EINTR)
        bus_die(r, "wait for the bus");
}
