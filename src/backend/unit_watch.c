#include "unit_watch.h"

#include "base/clock.h"
#include "bus_connection.h"
#include "bus_thread.h"
#include "unit_fault.h"
#include "unit_job.h"
#include "unit_nearest.h"
#include "unit_seen.h"
#include "unit_table.h"

#include <errno.h>
#include <stdlib.h>

static void on_id(struct unit *u)
{
    list_for_each(link, &u->bus->units)
    {
        struct unit *other = list_entry(link, struct unit, link);

        if (other != u && other->told && strcmp(other->props.id, u->props.id) == 0)
            unit_show(other); /* which of the two is the first may have changed */
    }
}

/* ---- telling ---- */

void unit_forbidden(const struct unit *u, char text[static UNIT_SENTENCE_SIZE])
{
    const char *own = u->backend->own_unit[u->bus->type];

    text[0] = '\0';
    if (u->props.id[0] && strcmp(u->props.id, own) == 0) {
        say(text, UNIT_SENTENCE_SIZE, "%s is the unit that Orderly itself runs in", u->spec->unit);
        return;
    }
    list_for_each(link, &u->bus->units)
    {
        const struct unit *other = list_entry(link, struct unit, link);

        if (other == u)
            return;
        if (u->props.id[0] && strcmp(other->props.id, u->props.id) == 0) {
            say(text, UNIT_SENTENCE_SIZE, "%s is the same unit as service %s's, %s", u->spec->unit,
                other->spec->name, other->spec->unit);
            return;
        }
    }
}

static void find_fault(const struct unit *u, char text[static UNIT_FAULT_SIZE])
{
    const struct bus *bus = u->bus;
    char forbidden[UNIT_SENTENCE_SIZE];

    text[0] = '\0';
    if (bus->away_told) {
        say(text, UNIT_FAULT_SIZE, "the %s bus cannot be reached: %s",
            name_of(&bus_type_names, (int)bus->type), bus->reason);
        return;
    }
    if (u->read_fault[0]) {
        say(text, UNIT_FAULT_SIZE, "%s", u->read_fault);
        return;
    }
    unit_forbidden(u, forbidden);
    if (forbidden[0])
        say(text, UNIT_FAULT_SIZE, "%s", forbidden);
    else
        unit_load_fault(u->spec->unit, &u->props, u->hint[0] ? u->hint : NULL, text);
}

/* What has failed in the middle of somebody's job goes on; what a stop has left failed is not to be
 * brought back. */
static void judge_end(struct unit *u, struct unit_seen *seen)
{
    if (seen->state == STATE_FAILED && u->props.job && !job_stands(u)) {
        seen->state = u->seen.state == STATE_STARTING ? STATE_STARTING : STATE_STOPPING;
        seen->wanted_known = false;
    } else if (seen->state == STATE_FAILED && u->by_job) {
        seen->wanted_known = true;
        seen->wanted = GOAL_DOWN;
    } else if (seen->state != STATE_FAILED && seen->state != STATE_STOPPED &&
               seen->state != STATE_STOPPING) {
        u->by_job = false;
    }
}

void unit_show(struct unit *u)
{
    struct unit_seen seen;

    unit_seen_make(&u->props, u->backend->cgroup_mount, u->told ? u->seen.state : STATE_STOPPED,
                   &seen);
    judge_end(u, &seen);
    find_fault(u, seen.fault);
    if (strcmp(u->props.load_state, "loaded") == 0)
        unit_advice(&u->props, u->timeout_us, seen.advice);
    if (u->told && memcmp(&seen, &u->seen, sizeof seen) == 0)
        return;
    u->seen = seen;
    u->told = true;
    tell_unit(u, &(struct backend_event){.kind = BACKEND_UNIT_SEEN, .unit = &seen});
}

/* Everything is known that will be: what is new is told, and then what has ended. */
static void settle(struct unit *u)
{
    unit_show(u);
    job_judge(u);
}

/* ---- reading ---- */

static void cannot_read(struct unit *u, const sd_bus_error *error)
{
    if (unit_error_unknown(error->name) || unit_error_undelivered(error->name))
        return; /* the manager is away: it is read when it comes back */
    say(u->read_fault, sizeof u->read_fault, "systemd tells nothing of %s: %s", u->spec->unit,
        error->message);
    settle(u);
}

/* Units that somebody has made for a while only are not to be kept alive; of the others systemd
 * forgets how they ended as soon as nobody refers to them. */
static void refer(struct unit *u)
{
    if (u->referenced || u->bus->references >= MOST_REFERENCES || u->props.transient ||
        strcmp(u->props.load_state, "loaded") != 0)
        return;
    u->referenced =
        sd_bus_call_method_async(u->bus->connection, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
                                 SYSTEMD_MANAGER, "RefUnit", NULL, NULL, "s", u->spec->unit) >= 0;
    u->bus->references += u->referenced;
}

static void on_found(struct unit *u, sd_bus_message *m)
{
    unit_nearest(m, u->spec->unit, u->hint);
    settle(u);
}

/* A unit that is not there: before that is told, the files are looked through for a name like it.
 */
static bool searches(struct unit *u)
{
    if (u->hint_asked || strcmp(u->props.load_state, "not-found") != 0)
        return false;
    u->hint_asked = true;
    return bus_call(u, &u->search, SYSTEMD_PATH, SYSTEMD_MANAGER, "ListUnitFilesByPatterns",
                    on_found, "asas", 0, 1, "*.service") == 0;
}

/* Whether what was told of changes has come to the same as what has now been read. */
static bool fits(const struct unit_props *a, const struct unit_props *b)
{
    return strcmp(a->active, b->active) == 0 && strcmp(a->sub, b->sub) == 0 &&
           memcmp(a->invocation, b->invocation, sizeof a->invocation) == 0;
}

static void take(struct unit *u, const struct unit_props *fresh)
{
    bool renamed = strcmp(fresh->id, u->props.id) != 0;

    u->props = *fresh;
    u->loaded = true;
    u->read_fault[0] = '\0';
    refer(u);
    if (searches(u))
        return;
    settle(u);
    if (renamed)
        on_id(u);
}

/* false: it was an error, which has been dealt with. */
static bool is_answer(struct unit *u, sd_bus_message *m)
{
    const sd_bus_error *error = sd_bus_message_get_error(m);

    if (error)
        cannot_read(u, error);
    return !error;
}

static const sd_bus_error not_understood =
    SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_INVALID_SIGNATURE, "its answer cannot be understood");

static void on_read(struct unit *u, sd_bus_message *m)
{
    struct unit_props fresh;

    if (!is_answer(u, m))
        return;
    unit_props_init(&fresh);
    if (unit_props_read(&fresh, m) < 0) {
        cannot_read(u, &not_understood);
        return;
    }
    unit_props_carry(&fresh, &u->props);
    take(u, &fresh);
}

static void on_read_brief(struct unit *u, sd_bus_message *m)
{
    struct unit_props fresh = u->props;

    if (!is_answer(u, m))
        return;
    fresh.requires[0] = '\0';
    if (unit_props_read(&fresh, m) >= 0 && fits(&fresh, &u->props))
        take(u, &fresh);
    else
        unit_read(u);
}

void unit_read(struct unit *u)
{
    if (!u->path)
        return; /* it is being loaded, and read then */
    bus_call(u, &u->read, u->path, DBUS_PROPERTIES, "GetAll", on_read, "s", "");
}

static bool is_down(const struct unit *u)
{
    return strcmp(u->props.active, "inactive") == 0 || strcmp(u->props.active, "failed") == 0;
}

/* systemd tells of all that changes but the control group, which has one name as long as it lives.
 */
static bool all_is_told(const struct unit *u)
{
    return u->loaded && (is_down(u) || u->props.control_group[0]);
}

void unit_read_brief(struct unit *u)
{
    if (all_is_told(u))
        bus_call(u, &u->read, u->path, DBUS_PROPERTIES, "GetAll", on_read_brief, "s",
                 SYSTEMD_NAME ".Unit");
    else
        unit_read(u);
}

void unit_read_soon(struct unit *u)
{
    if (!u->read)
        unit_read_brief(u);
}

static void on_loaded(struct unit *u, sd_bus_message *m)
{
    const sd_bus_error *answer = sd_bus_message_get_error(m);
    const char *path = NULL;

    if (answer) {
        cannot_read(u, answer);
        return;
    }
    free(u->path);
    u->path = sd_bus_message_read(m, "o", &path) < 0 ? NULL : strdup(path);
    if (!u->path)
        cannot_read(u, &SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_NO_MEMORY, "out of memory"));
    unit_read(u);
}

void unit_load(struct unit *u)
{
    u->hint_asked = false;
    u->hint[0] = '\0';
    bus_call_drop(&u->search);
    bus_call(u, &u->load, SYSTEMD_PATH, SYSTEMD_MANAGER, "LoadUnit", on_loaded, "s", u->spec->unit);
}

/* ---- changes ---- */

/* Whether it is down for a moment only, for all that can be told: in the middle of a job, ours (at
 * whose end it is read) or another's, or of an automatic restart, which goes through "failed" in a
 * moment in which systemd never answers. A unit that was made for a while only may be gone
 * altogether. */
static bool is_down_for_now(const struct unit *u)
{
    return is_down(u) &&
           (job_stands(u) || u->props.job || unit_recovers(&u->props) || u->props.transient);
}

/* The properties of the service come before those of the unit, and the two belong together: they
 * are as good as a read. */
void unit_changed(struct unit *u, sd_bus_message *m)
{
    const char *interface;

    if (sd_bus_message_read(m, "s", &interface) < 0)
        return;
    if (u->loaded && unit_props_read(&u->props, m) < 0) {
        unit_read(u);
        return;
    }
    if (strcmp(interface, SYSTEMD_NAME ".Unit") != 0)
        return;
    if (u->loaded && !is_down_for_now(u))
        unit_show(u);
    if (!u->loaded || (!job_stands(u) && (is_down_for_now(u) || !all_is_told(u))))
        unit_read_soon(u);
}

/* Another's: only a stop is done when the unit is down, or a start of what ran to its end. */
void unit_job_removed(struct unit *u, const char *unit, const char *result)
{
    if (!u->loaded || u->job.phase != JOB_NONE || !is_down(u) || strcmp(u->props.id, unit) != 0 ||
        strcmp(result, "done") != 0)
        return;
    u->by_job = true;
    if (!u->read)
        unit_show(u);
}

/* ---- coming and going ---- */

void unit_join(struct unit *u)
{
    u->known = true;
    list_append(&u->bus->units, &u->link);
    bus_need(u->bus);
    if (bus_ready(u->bus))
        unit_load(u);
    else if (u->bus->away_told)
        unit_show(u);
}

void unit_disconnect(struct unit *u)
{
    bus_call_drop(&u->load);
    bus_call_drop(&u->read);
    bus_call_drop(&u->search);
    free(u->path);
    u->path = NULL;
    u->loaded = false;
}

void unit_leave(struct unit *u)
{
    struct bus *bus = u->bus;

    job_drop(u);
    unit_disconnect(u);
    if (u->referenced && bus_ready(bus))
        sd_bus_call_method_async(bus->connection, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                 "UnrefUnit", NULL, NULL, "s", u->spec->unit);
    bus->references -= u->referenced;
    list_remove(&u->link);
    if (u->props.id[0])
        on_id(u);
    spec_unref(u->spec);
    free(u);
    if (list_empty(&bus->units))
        bus_close(bus);
}
