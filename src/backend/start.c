/* start - a start in order: group, readiness FIFO, settings, executor, the record, the gate. What
 * goes wrong before the gate is undone, and nothing has run. All up to the executor can be done
 * ahead, while the instance before still stops. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "cgroup.h"
#include "executor.h"
#include "identity.h"
#include "limits.h"
#include "process_instance.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* What one start has open, until the executor has it. */
struct preparation {
    struct process_instance *p;
    const struct launch *launch;
    const struct service_spec *spec;
    char *ready;
    int group; /* a descriptor */
};

static int make_group(struct preparation *s, struct error *err)
{
    const struct process_backend *b = s->p->backend;

    if (!b->parent)
        return 0;
    if (asprintf(&s->p->group, "%s/%s.%" PRId64, b->parent, s->spec->name, s->p->base.generation) <
        0) {
        s->p->group = NULL;
        return error_set(err, -ENOMEM, "make a group: %m");
    }
    s->group = cgroup_make(s->p->group, err);
    if (s->group == -ENOENT && process_parent_again(s->p->backend, s->spec, err) == 0)
        s->group = cgroup_make(s->p->group, err);
    return s->group < 0 ? s->group : limits_write(s->p->group, s->spec, err);
}

static int make_ready(struct preparation *s, struct error *err)
{
    if (s->spec->readiness != READINESS_FD)
        return 0;
    s->ready = ready_path(s->p->backend, s->spec->name);
    if (!s->ready)
        return error_set(err, -ENOMEM, "make a readiness FIFO: %m");
    s->p->ready_fd = ready_make(s->ready, s->spec, err);
    return s->p->ready_fd < 0 ? s->p->ready_fd : 0;
}

static int spawn(struct preparation *s, struct error *err)
{
    struct process_instance *p = s->p;
    bool born = p->group && p->backend->spawner.clones_into;
    struct program program = {
        .launch = s->launch,
        .argv = &s->spec->argv,
        .ready = s->ready,
        .join = born ? NULL : p->group,
        .group = born ? s->group : -1,
        .stay = !p->group,
    };
    struct executor executor;
    struct process_stat st = {0};
    char added[32];
    int r;

    snprintf(added, sizeof added, "ORDERLY_READY_FD=%d", EXEC_READY_FD);
    program.added = s->ready ? added : NULL;
    r = executor_spawn(p, &program, &executor, err);
    if (r < 0)
        return r;
    p->ours = true;
    p->pidfd = executor.pidfd;
    p->socket = executor.socket;
    p->spawned = executor.pid;
    process_stat(p->spawned, &st); /* it can't be reaped by anyone else, so it is there */
    p->spawned_ticks = st.ticks;
    return 0;
}

/* Everything about the instance is known; the record is what the next daemon will know of it. */
static void write_down(struct process_instance *p)
{
    struct instance_data data = {
        .generation = p->base.generation,
        .boot = p->backend->boot,
        .started_mono = clock_mono_us(),
        .phase = PHASE_STARTING,
        .parent = p->group ? p->backend->parent_number : NO_PARENT,
    };

    snprintf(data.service, sizeof data.service, "%s", p->spec->name);
    if (p->group) {
        data.pid = p->spawned;
        data.ticks = p->spawned_ticks;
        p->base.pid = p->spawned;
    } else {
        data.executor = p->spawned;
        data.executor_ticks = p->spawned_ticks;
    }
    instance_lock(p);
    if (p->group) {
        p->main_pid = p->spawned;
    } else {
        p->executor = p->spawned;
        p->executor_ticks = p->spawned_ticks;
    }
    instance_unlock(p);
    p->base.place = p->group;
    p->base.containment = p->group ? CONTAINMENT_CGROUP : CONTAINMENT_BEST_EFFORT;
    instances_write(p->backend->instances, p->slot, &data);
}

static int open_gate(struct process_instance *p, struct error *err)
{
    int r;

    instance_lock(p);
    r = executor_open_gate(p->socket);
    instance_unlock(p);
    return r < 0 ? error_set(err, r, "open the executor's gate: %m") : 0;
}

static int prepare(struct preparation *s, struct error *err)
{
    int r = make_group(s, err);

    if (r == 0)
        r = make_ready(s, err);
    if (r == 0)
        r = spawn(s, err);
    closep(&s->group);
    free(s->ready);
    return r;
}

void process_undo(struct process_instance *p)
{
    if (p->ours)
        executor_kill(p->pidfd);
    if (p->group)
        group_watch_discard(p->backend->group_watch, p->group);
    if (p->slot != NO_SLOT)
        instances_let_go(p->backend->instances, p->slot, true);
    process_instance_free(p);
}

static int make(struct process_backend *backend, const struct launch *launch, void *owner,
                struct process_instance **ret_instance, struct error *err)
{
    const struct service_spec *spec = launch->spec;
    struct process_instance *p = process_instance_new(backend, (struct service_spec *)spec,
                                                      spec->name, launch->generation, owner);
    struct preparation s = {.p = p, .launch = launch, .spec = spec, .group = -1};
    int r;

    if (!p)
        return error_set(err, -ENOMEM, "start %s: %m", spec->name);
    r = prepare(&s, err);
    if (r < 0)
        process_undo(p);
    else
        *ret_instance = p;
    return r;
}

/* Without groups the executor stays above the service, and its tree would be two's. */
int process_prepare(struct backend *base, const struct launch *launch, void *owner,
                    struct instance **ret_instance, struct error *err)
{
    struct process_instance *p;
    int r;

    if (!process_of(base)->parent)
        return error_set(err, -ENOTSUP, "prepare %s: %m", launch->spec->name);
    r = make(process_of(base), launch, owner, &p, err);
    if (r == 0)
        *ret_instance = &p->base;
    return r;
}

int process_start(struct backend *base, const struct launch *launch, void *owner,
                  struct instance **ret_instance, struct error *err)
{
    struct process_backend *backend = process_of(base);
    struct process_instance *p = (struct process_instance *)launch->prepared;
    int r = p ? 0 : make(backend, launch, owner, &p, err);

    if (r < 0)
        return r;
    r = instances_reserve(backend->instances, launch->spec->name, &p->slot, err);
    if (r == 0) {
        write_down(p);
        *ret_instance = &p->base; /* before the first event may come */
        r = progress_watch(p, err);
        if (r == 0)
            r = open_gate(p, err);
        if (r < 0)
            progress_end(p);
    }
    if (r < 0) {
        *ret_instance = NULL;
        process_undo(p);
    }
    return r;
}
