#include "unit_job.h"

#include "base/clock.h"
#include "bus_connection.h"
#include "bus_thread.h"
#include "job_end.h"
#include "unit_fault.h"
#include "unit_table.h"
#include "unit_watch.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static bool counts(enum job_phase phase)
{
    return phase == JOB_CALLED || phase == JOB_STANDING;
}

static void enter(struct unit *u, enum job_phase phase)
{
    u->bus->jobs += counts(phase);
    u->bus->jobs -= counts(u->job.phase);
    u->job.phase = phase;
    if (phase == JOB_NONE)
        list_remove(&u->busy);
    else if (list_empty(&u->busy))
        list_append(&u->bus->busy, &u->busy);
}

static void clear(struct unit *u)
{
    bus_call_drop(&u->job.call);
    bus_call_drop(&u->job.question);
    enter(u, JOB_NONE);
    memset(&u->job, 0, sizeof u->job);
    u->job.look_at = CLOCK_NEVER;
}

void job_tell(struct unit *u, bool well, const char *text)
{
    uint64_t request = u->job.order.request;

    clear(u);
    tell_unit(u, &(struct backend_event){.kind = BACKEND_JOB_ENDED,
                                         .request = request,
                                         .well = well,
                                         .detail = text && text[0] ? text : NULL});
}

/* What it has come to is told with what the unit is then. */
static void end(struct unit *u, enum job_phase phase)
{
    enter(u, phase);
    unit_read(u);
}

static void refuse(struct unit *u, const char *text)
{
    say(u->job.text, sizeof u->job.text, "%s", text);
    end(u, JOB_REFUSED);
}

static void wait_for_bus(struct unit *u)
{
    u->job.deadline = clock_mono_us() + BUS_PATIENCE;
    enter(u, JOB_WAITING);
}

/* ---- the call ---- */

/* A start would wait for the end of the pause before an automatic restart; a restart does not. */
static const char *method_of(const struct unit *u, enum unit_action action)
{
    switch (action) {
    case UNIT_START:
        return unit_state(&u->props, STATE_STOPPED) == STATE_BACKOFF ? "RestartUnit" : "StartUnit";
    case UNIT_STOP: return "StopUnit";
    case UNIT_RESTART: return "RestartUnit";
    case UNIT_RELOAD: return "ReloadUnit";
    case UNIT_SIGNAL: return "KillUnit";
    }
    return NULL;
}

static void call_failed(struct unit *u, const sd_bus_error *error)
{
    struct unit_job *job = &u->job;

    if (unit_error_undelivered(error->name)) {
        wait_for_bus(u); /* it never came to systemd */
        return;
    }
    if (unit_error_unknown(error->name)) {
        end(u, JOB_LOST);
        return;
    }
    unit_call_error(job->order.action, u->spec->unit, error->name, error->message, job->text);
    end(u, JOB_REFUSED);
}

static void cancel_job(struct unit *u, const char *path)
{
    sd_bus_call_method_async(u->bus->connection, NULL, SYSTEMD_NAME, path, SYSTEMD_NAME ".Job",
                             "Cancel", NULL, NULL, NULL);
}

static void ended(struct unit *u, const char *result)
{
    say(u->job.result, sizeof u->job.result, "%s", result);
    enter(u, JOB_ENDED);
    if (strcmp(result, "done") == 0)
        unit_read_brief(u);
    else
        unit_read(u);
}

/* It has a path now: its end may have been told already. */
static void stand(struct unit *u, const char *path)
{
    struct unit_job *job = &u->job;
    unsigned kept = job->removed < REMOVALS ? job->removed : REMOVALS;

    if (path != job->path)
        say(job->path, sizeof job->path, "%s", path);
    enter(u, JOB_STANDING);
    for (unsigned i = 0; i < kept; i++)
        if (strcmp(job->removals[i].path, path) == 0) {
            ended(u, job->removals[i].result);
            return;
        }
}

static void on_called(struct unit *u, sd_bus_message *m)
{
    struct unit_job *job = &u->job;
    const sd_bus_error *answer = sd_bus_message_get_error(m);
    const char *path;

    if (job->cancel) {
        if (!answer && sd_bus_message_read(m, "o", &path) > 0)
            cancel_job(u, path);
        clear(u);
    } else if (answer) {
        call_failed(u, answer);
    } else if (job->order.action == UNIT_SIGNAL) {
        ended(u, "done");
    } else if (sd_bus_message_read(m, "o", &path) > 0) {
        stand(u, path);
    } else {
        refuse(u, "systemd's answer cannot be understood");
    }
}

/* A stop of what has failed leaves it stopped, as it does with processes. */
static void forget_failure(struct unit *u)
{
    sd_bus_call_method_async(u->bus->connection, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                             "ResetFailedUnit", NULL, NULL, "s", u->spec->unit);
}

static int make_call(struct unit *u)
{
    const struct unit_order *order = &u->job.order;
    const char *method = method_of(u, order->action);
    int r;

    if (order->action == UNIT_SIGNAL)
        return bus_call(u, &u->job.call, SYSTEMD_PATH, SYSTEMD_MANAGER, method, on_called, "ssi",
                        u->spec->unit, "main", order->signal);
    r = bus_call(u, &u->job.call, SYSTEMD_PATH, SYSTEMD_MANAGER, method, on_called, "ss",
                 u->spec->unit, "replace");
    if (r == 0 && order->action == UNIT_STOP && strcmp(u->props.active, "failed") == 0)
        forget_failure(u);
    return r;
}

static void send_order(struct unit *u)
{
    char text[UNIT_SENTENCE_SIZE];
    int r;

    unit_forbidden(u, text);
    if (text[0]) {
        job_tell(u, false, text);
        return;
    }
    if (u->bus->jobs >= MOST_JOBS) {
        enter(u, JOB_IN_LINE);
        return;
    }
    if (u->job.order.action == UNIT_START || u->job.order.action == UNIT_RESTART)
        u->by_job = false;
    memcpy(u->job.invocation, u->props.invocation, sizeof u->job.invocation);
    enter(u, JOB_CALLED);
    r = make_call(u);
    if (r == 0)
        return;
    if (sd_bus_is_open(u->bus->connection) > 0) {
        say(text, sizeof text, "systemd cannot be asked: %s", strerrordesc_np(-r));
        refuse(u, text);
    } else {
        wait_for_bus(u); /* nothing of it has been sent */
    }
}

/* ---- orders ---- */

void job_begin(struct unit *u, const struct unit_order *order)
{
    clear(u);
    u->job.order = *order;
    if (bus_ready(u->bus) && u->loaded) {
        send_order(u);
        return;
    }
    bus_need(u->bus);
    wait_for_bus(u);
}

void job_forget(struct unit *u)
{
    struct unit_job *job = &u->job;

    if (job->order.action == UNIT_RELOAD && job->phase == JOB_CALLED) {
        job->cancel = true;
        return;
    }
    if (job->order.action == UNIT_RELOAD && job->phase == JOB_STANDING)
        cancel_job(u, job->path);
    clear(u);
}

void job_drop(struct unit *u)
{
    clear(u);
}

void job_kill(struct unit *u)
{
    char text[UNIT_SENTENCE_SIZE];

    unit_forbidden(u, text);
    if (bus_ready(u->bus) && !text[0])
        sd_bus_call_method_async(u->bus->connection, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
                                 SYSTEMD_MANAGER, "KillUnit", NULL, NULL, "ssi", u->spec->unit,
                                 "all", SIGKILL);
}

/* ---- what happens ---- */

void job_removed(struct unit *u, const char *path, const char *unit, const char *result)
{
    struct unit_job *job = &u->job;

    if (job->phase == JOB_STANDING && strcmp(job->path, path) == 0) {
        u->by_job |= job->order.action == UNIT_STOP;
        ended(u, result);
    } else if (job->phase == JOB_CALLED && strcmp(u->props.id, unit) == 0) {
        unsigned place = job->removed++ % REMOVALS;

        say(job->removals[place].path, JOB_PATH_SIZE, "%s", path);
        say(job->removals[place].result, sizeof job->removals[place].result, "%s", result);
    }
}

void job_disconnected(struct unit *u)
{
    struct unit_job *job = &u->job;
    bool sent = bus_call_is_sent(job->call);

    bus_call_drop(&job->question);
    job->asked = false;
    bus_call_drop(&job->call);
    if (job->cancel)
        clear(u);
    else if (job->phase == JOB_IN_LINE || (job->phase == JOB_CALLED && !sent))
        wait_for_bus(u);
    else if (job->phase == JOB_CALLED || job->phase == JOB_STANDING)
        enter(u, JOB_LOST);
}

bool job_stands(const struct unit *u)
{
    return u->job.phase == JOB_CALLED || u->job.phase == JOB_STANDING;
}

void job_still_stands(struct unit *u, const char *path)
{
    stand(u, path);
}

static void judge_waiting(struct unit *u)
{
    if (u->loaded && bus_ready(u->bus))
        send_order(u);
    else if (u->read_fault[0])
        job_tell(u, false, u->read_fault);
}

void job_judge(struct unit *u)
{
    char text[UNIT_SENTENCE_SIZE];

    switch (u->job.phase) {
    case JOB_NONE:
    case JOB_IN_LINE:
    case JOB_CALLED:
    case JOB_STANDING: return;
    case JOB_WAITING: judge_waiting(u); return;
    case JOB_ENDED: job_end(u); return;
    case JOB_LOST: job_find(u); return;
    case JOB_REFUSED:
        if (u->job.order.action == UNIT_STOP && strcmp(u->props.load_state, "not-found") == 0 &&
            strcmp(u->props.active, "inactive") == 0) {
            say(text, sizeof text, "there is no unit %s, and nothing of it runs", u->spec->unit);
            job_tell(u, true, text);
            return;
        }
        say(text, sizeof text, "%s", u->job.text);
        job_tell(u, false, text);
        return;
    }
}

/* ---- time ---- */

void job_pass_time(struct unit *u, int64_t now)
{
    struct unit_job *job = &u->job;
    char text[UNIT_SENTENCE_SIZE];

    if (job->phase == JOB_WAITING && job->deadline <= now) {
        say(text, sizeof text, "the %s bus cannot be reached: %s",
            name_of(&bus_type_names, (int)u->bus->type),
            bus_ready(u->bus) ? "systemd does not answer" : u->bus->reason);
        unit_show(u);
        job_tell(u, false, text);
    } else if (job->phase == JOB_IN_LINE && u->bus->jobs < MOST_JOBS) {
        judge_waiting(u);
    } else if (job->look_at <= now) {
        job_look(u);
    }
}

int64_t job_next_time(const struct unit *u)
{
    return u->job.phase == JOB_WAITING ? u->job.deadline : u->job.look_at;
}
