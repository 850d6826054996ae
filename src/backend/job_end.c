#include "job_end.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "bus_connection.h"
#include "cgroup.h"
#include "unit_job.h"
#include "unit_program.h"
#include "unit_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* At a process that is about to become the program, mostly within some milliseconds: a second in
 * all, for a busy machine. */
#define LOOKS      40
#define FIRST_LOOK INT64_C(250)

static struct unit_end end_of(const struct unit *u)
{
    const struct unit_job *job = &u->job;

    return (struct unit_end){
        .action = job->order.action,
        .unit = u->spec->unit,
        .result = job->result,
        .props = &u->props,
        .culprit = job->culprit[0] ? job->culprit : NULL,
        .not_tried = memcmp(job->invocation, u->props.invocation, sizeof job->invocation) == 0};
}

static bool has_processes(const struct unit *u)
{
    CLEANUP(freep) char *group = NULL;
    bool populated;

    if (!u->backend->cgroup_mount || !u->props.control_group[0])
        return false;
    if (asprintf(&group, "%s%s", u->backend->cgroup_mount, u->props.control_group) < 0) {
        group = NULL;
        return false;
    }
    return cgroup_populated(group, &populated, NULL) == 0 && populated;
}

static void tell_end(struct unit *u)
{
    struct unit_end end = end_of(u);
    char text[UNIT_SENTENCE_SIZE];
    bool well;

    end.processes_left = end.action == UNIT_STOP && has_processes(u);
    well = unit_outcome(&end, text);
    job_tell(u, well, text);
}

/* ---- whose fault it is ---- */

/* The answer to ListUnitsByNames: a(ssssssouso), the name first, ActiveState fourth. */
static void find_failed(sd_bus_message *m, char name[static UNIT_NAME_SIZE])
{
    const char *unit, *active;

    if (sd_bus_message_get_error(m) || sd_bus_message_enter_container(m, 'a', "(ssssssouso)") < 0)
        return;
    while (sd_bus_message_read(m, "(ssssssouso)", &unit, NULL, NULL, &active, NULL, NULL, NULL,
                               NULL, NULL, NULL) > 0)
        if (strcmp(active, "failed") == 0 && strlen(unit) < UNIT_NAME_SIZE) {
            strcpy(name, unit);
            return;
        }
}

static void on_culprit(struct unit *u, sd_bus_message *m)
{

    find_failed(m, u->job.culprit);
    tell_end(u);
}

static int append_names(sd_bus_message *m, const char *names)
{
    CLEANUP(freep) char *copy = strdup(names);
    char *rest = NULL;
    int r = copy ? sd_bus_message_open_container(m, 'a', "s") : -ENOMEM;

    for (char *name = copy ? strtok_r(copy, " ", &rest) : NULL; r >= 0 && name;
         name = strtok_r(NULL, " ", &rest))
        r = sd_bus_message_append(m, "s", name);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static bool asks_for_culprit(struct unit *u)
{
    CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    struct unit_job *job = &u->job;
    int r;

    if (job->asked || strcmp(job->result, "dependency") != 0 || !bus_ready(u->bus))
        return job->question;
    job->asked = true;
    r = sd_bus_message_new_method_call(u->bus->connection, &m, SYSTEMD_NAME, SYSTEMD_PATH,
                                       SYSTEMD_MANAGER, "ListUnitsByNames");
    if (r >= 0)
        r = append_names(m, u->props.requires);
    if (r >= 0)
        r = bus_call_message(u, &job->question, m, on_culprit);
    return r >= 0;
}

/* ---- whether the program itself runs ---- */

/* A unit of Type=simple is called started when its process has been forked; whether there is such a
 * program shows a moment later. */
static bool is_to_be_looked_at(const struct unit *u)
{
    const struct unit_job *job = &u->job;
    bool starts = job->order.action == UNIT_START || job->order.action == UNIT_RESTART;

    return starts && job->looks < LOOKS && strcmp(job->result, "done") == 0 &&
           strcmp(u->props.type, "simple") == 0 && strcmp(u->props.active, "active") == 0 &&
           u->props.main_pid > 0;
}

static bool must_look_again(struct unit *u)
{
    struct unit_job *job = &u->job;

    job->look_at = CLOCK_NEVER;
    if (!is_to_be_looked_at(u) || unit_program_of((pid_t)u->props.main_pid) == IS_PROGRAM)
        return false;
    job->look_at = clock_mono_us() + (FIRST_LOOK << job->looks / 4);
    job->looks++;
    return true;
}

void job_look(struct unit *u)
{
    if (u->read || unit_program_of((pid_t)u->props.main_pid) == IS_GONE) {
        u->job.look_at = CLOCK_NEVER;
        unit_read_soon(u); /* systemd will have noticed, too, or does soon */
    } else {
        job_end(u);
    }
}

void job_end(struct unit *u)
{
    if (!asks_for_culprit(u) && !must_look_again(u))
        tell_end(u);
}

/* ---- an answer that was lost ---- */

static void tell_lost(struct unit *u)
{
    struct unit_end end = end_of(u);
    char text[UNIT_SENTENCE_SIZE];
    bool well = unit_outcome_lost(&end, u->job.invocation, text);

    job_tell(u, well, text);
}

/* A restart is a start once the old process has gone. */
static bool is_type_of(enum unit_action action, const char *type)
{
    switch (action) {
    case UNIT_START: /* of one that is about to be restarted is a restart, too */
    case UNIT_RESTART: return strcmp(type, "restart") == 0 || strcmp(type, "start") == 0;
    case UNIT_STOP: return strcmp(type, "stop") == 0;
    case UNIT_RELOAD: return strcmp(type, "reload") == 0;
    case UNIT_SIGNAL: return false;
    }
    return false;
}

static void on_type(struct unit *u, sd_bus_message *m)
{
    const char *type;
    bool ours;

    ours = !sd_bus_message_get_error(m) && sd_bus_message_read(m, "v", "s", &type) >= 0 &&
           is_type_of(u->job.order.action, type);
    if (ours && u->props.job)
        job_still_stands(u, u->props.job_path);
    else if (u->props.job == 0)
        tell_lost(u);
    else
        unit_read(u); /* it has ended, or another has come, since the unit was read */
}

static bool asks_for_type(struct unit *u)
{
    if (u->job.asked)
        return u->job.question;
    u->job.asked = true;
    return bus_call(u, &u->job.question, u->props.job_path, DBUS_PROPERTIES, "Get", on_type, "ss",
                    SYSTEMD_NAME ".Job", "JobType") == 0;
}

void job_find(struct unit *u)
{
    const struct unit_job *job = &u->job;

    if (!u->loaded)
        return;
    if (u->props.job && job->path[0] && strcmp(job->path, u->props.job_path) == 0)
        job_still_stands(u, job->path);
    else if (u->props.job == 0 || job->path[0] || !asks_for_type(u))
        tell_lost(u);
}
