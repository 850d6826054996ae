#include "own_job.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/own_unit.h"

#include <errno.h>
#include <string.h>

#define ANSWER_WITHIN (2 * USEC_PER_SEC)

static void busp(sd_bus **bus)
{
    sd_bus_flush_close_unref(*bus);
}

static void messagep(sd_bus_message **message)
{
    sd_bus_message_unref(*message);
}

static int unit_path(sd_bus *bus, const char *name, char **ret_path)
{
    CLEANUP(messagep) sd_bus_message *reply = NULL;
    const char *path;
    int r = sd_bus_call_method(bus, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE, "GetUnit", NULL,
                               &reply, "s", name);

    if (r >= 0)
        r = sd_bus_message_read(reply, "o", &path);
    if (r < 0)
        return r;
    *ret_path = strdup(path);
    return *ret_path ? 0 : -ENOMEM;
}

/* *ret_path: "/" when there is none. */
static int job_path(sd_bus *bus, const char *unit, char **ret_path)
{
    CLEANUP(messagep) sd_bus_message *reply = NULL;
    const char *path;
    uint32_t id;
    int r = sd_bus_get_property(bus, MANAGER_NAME, unit, MANAGER_UNIT, "Job", NULL, &reply, "(uo)");

    if (r >= 0)
        r = sd_bus_message_read(reply, "(uo)", &id, &path);
    if (r < 0)
        return r;
    *ret_path = strdup(path);
    return *ret_path ? 0 : -ENOMEM;
}

/* *ret_type: NULL when there is no job; the caller frees. */
static int ask_type(sd_bus *bus, const char *unit, char **ret_type)
{
    CLEANUP(freep) char *path = NULL;
    CLEANUP(freep) char *job = NULL;
    int r = unit_path(bus, unit, &path);

    *ret_type = NULL;
    if (r == 0)
        r = job_path(bus, path, &job);
    if (r < 0 || strcmp(job, "/") == 0)
        return r;
    r = sd_bus_get_property_string(bus, MANAGER_NAME, job, MANAGER_JOB, "JobType", NULL, ret_type);
    return r < 0 ? r : 0;
}

bool own_job_is_restart(void)
{
    CLEANUP(busp) sd_bus *bus = NULL;
    CLEANUP(freep) char *type = NULL;
    struct own_unit unit;
    struct error err = {0};
    int r;

    if (!own_unit_find(&unit))
        return false;
    r = own_unit_connect(&unit, ANSWER_WITHIN, &bus, &err);
    if (r == 0) {
        r = ask_type(bus, unit.name, &type);
        if (r < 0)
            error_set(&err, r, "ask systemd for the job of %s: %m", unit.name);
    }
    if (r < 0)
        log_warning("%s: this is taken for a stop", err.text);
    return type && strcmp(type, "restart") == 0;
}
