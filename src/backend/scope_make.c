/* scope_make - StartTransientUnit, and waiting for its job. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "scope.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_WITHIN (5 * USEC_PER_SEC)
#define UNIT_SUFFIX   ".service"

struct making {
    sd_bus *bus;
    const struct own_unit *unit;
    char name[OWN_UNIT_SIZE + 16]; /* of the scope */
    int64_t until_mono;
    char *job;       /* its path; NULL: not known yet */
    char result[32]; /* of the job; "": not known yet */
    bool removed;    /* a former scope of that name has gone */
};

static void making_deinit(struct making *m)
{
    sd_bus_flush_close_unref(m->bus);
    free(m->job);
}

/* ---- what the manager tells ---- */

static int job_removed(sd_bus_message *message, void *context, sd_bus_error *unused)
{
    struct making *m = context;
    const char *job, *unit, *result;
    uint32_t id;

    (void)unused;
    if (m->job && sd_bus_message_read(message, "uoss", &id, &job, &unit, &result) > 0 &&
        strcmp(job, m->job) == 0)
        snprintf(m->result, sizeof m->result, "%s", result);
    return 0;
}

static int unit_removed(sd_bus_message *message, void *context, sd_bus_error *unused)
{
    struct making *m = context;
    const char *name, *path;

    (void)unused;
    if (sd_bus_message_read(message, "so", &name, &path) > 0 && strcmp(name, m->name) == 0)
        m->removed = true;
    return 0;
}

/* The job may end, and the scope go, before we know of it: so both are listened for first. Over the
 * private socket all signals come, over the bus only after Subscribe. */
static int listen_first(struct making *m)
{
    int r = sd_bus_match_signal(m->bus, NULL, NULL, MANAGER_PATH, MANAGER_INTERFACE, "JobRemoved",
                                job_removed, m);

    if (r >= 0)
        r = sd_bus_match_signal(m->bus, NULL, NULL, MANAGER_PATH, MANAGER_INTERFACE, "UnitRemoved",
                                unit_removed, m);
    if (r < 0)
        return r;
    /* Refused, a former scope is waited for in vain; our own job is told all the same. */
    sd_bus_call_method(m->bus, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE, "Subscribe", NULL,
                       NULL, NULL);
    return 0;
}

/* False: not in time, or the connection has gone. */
static bool wait_for(struct making *m, bool (*came)(const struct making *m))
{
    while (!came(m)) {
        int64_t left = m->until_mono - clock_mono_us();
        int r = sd_bus_process(m->bus, NULL);

        if (r < 0 || left <= 0)
            return false;
        if (r == 0 && sd_bus_wait(m->bus, (uint64_t)left) < 0)
            return false;
    }
    return true;
}

static bool job_has_ended(const struct making *m)
{
    return m->result[0];
}

static bool former_has_gone(const struct making *m)
{
    return m->removed;
}

/* ---- what it is asked ---- */

static int append_properties(const struct making *m, sd_bus_message *call, pid_t pid)
{
    int r = sd_bus_message_open_container(call, 'a', "(sv)");

    if (r >= 0)
        r = sd_bus_message_append(call, "(sv)(sv)(sv)(sv)", "Description", "s",
                                  "Services of Orderly", "Slice", "s", m->unit->slice, "PIDs", "au",
                                  1, (uint32_t)pid, "Before", "as", 1, m->unit->name);
    if (r >= 0)
        r = sd_bus_message_append(call, "(sv)(sv)(sv)(sv)", "Delegate", "b", 1, "TasksMax", "t",
                                  UINT64_MAX, "CollectMode", "s", "inactive-or-failed",
                                  "RefuseManualStop", "b", 1);
    return r < 0 ? r : sd_bus_message_close_container(call);
}

static int call_manager(struct making *m, pid_t pid, sd_bus_error *error, sd_bus_message **ret)
{
    sd_bus_message *call = NULL;
    int r = sd_bus_message_new_method_call(m->bus, &call, MANAGER_NAME, MANAGER_PATH,
                                           MANAGER_INTERFACE, "StartTransientUnit");

    if (r >= 0)
        r = sd_bus_message_append(call, "ss", m->name, "fail");
    if (r >= 0)
        r = append_properties(m, call, pid);
    if (r >= 0)
        r = sd_bus_message_append(call, "a(sa(sv))", 0);
    if (r >= 0)
        r = sd_bus_call(m->bus, call, 0, error, ret);
    sd_bus_message_unref(call);
    return r;
}

static int take_job(struct making *m, sd_bus_message *reply)
{
    const char *job;
    int r = sd_bus_message_read(reply, "o", &job);

    if (r < 0)
        return r;
    m->job = strdup(job);
    return m->job ? 0 : -ENOMEM;
}

static bool name_is_taken(const sd_bus_error *error)
{
    return sd_bus_error_has_name(error, "org.freedesktop.systemd1.UnitExists");
}

/* *ret_taken: a scope of that name is still there. */
static int ask(struct making *m, pid_t pid, bool *ret_taken, struct error *err)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    int r = call_manager(m, pid, &error, &reply);

    *ret_taken = r < 0 && name_is_taken(&error);
    if (r >= 0)
        r = take_job(m, reply);
    if (r < 0)
        error_set(err, r, "make the scope %s: %s", m->name,
                  error.message ? error.message : strerror(-r));
    sd_bus_message_unref(reply);
    sd_bus_error_free(&error);
    return r < 0 ? r : 0;
}

/* One that is about to go, for its last process has just ended, is waited for. */
static int ask_until_free(struct making *m, pid_t pid, struct error *err)
{
    bool taken;
    int r;

    do {
        m->removed = false;
        r = ask(m, pid, &taken, err);
    } while (r < 0 && taken && wait_for(m, former_has_gone));
    return r;
}

int scope_make(const struct own_unit *unit, pid_t pid, struct error *err)
{
    CLEANUP(making_deinit)
    struct making m = {.unit = unit, .until_mono = clock_mono_us() + ANSWER_WITHIN};
    int r = own_unit_connect(unit, ANSWER_WITHIN, &m.bus, err);

    if (r < 0)
        return r;
    snprintf(m.name, sizeof m.name, "%.*s-services.scope",
             (int)(strlen(unit->name) - strlen(UNIT_SUFFIX)), unit->name);
    r = listen_first(&m);
    if (r < 0)
        return error_set(err, r, "listen to systemd: %m");
    r = ask_until_free(&m, pid, err);
    if (r < 0)
        return r;
    if (!wait_for(&m, job_has_ended))
        return error_set(err, -ETIMEDOUT, "systemd has not made the scope %s in time", m.name);
    if (strcmp(m.result, "done") != 0)
        return error_set(err, -EIO, "systemd has not made the scope %s: its job is %s", m.name,
                         m.result);
    return 0;
}
