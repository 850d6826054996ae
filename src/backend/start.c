/* start - a start in order: group, readiness FIFO, settings, executor, the record, the gate. What
 * goes wrong before the gate is undone, and nothing has run. */
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
    pid_t pid;
    uint64_t ticks;
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
    s->pid = executor.pid;
    process_stat(s->pid, &st); /* it can't be reaped by anyone else, so it is there */
    s->ticks = st.ticks;
    return 0;
}

/* Everything about the instance is known; the record is what the next daemon will know of it. */
static void write_down(struct preparation *s)
{
    struct process_instance *p = s->p;
    struct instance_data data = {
        .generation = p->base.generation,
        .boot = p->backend->boot,
        .started_mono = clock_mono_us(),
        .phase = PHASE_STARTING,
        .parent = p->group ? p->backend->parent_number : NO_PARENT,
    };

    snprintf(data.service, sizeof data.service, "%s", s->spec->name);
    if (p->group) {
        data.pid = s->pid;
        data.ticks = s->ticks;
        p->base.pid = s->pid;
    } else {
        data.executor = s->pid;
        data.executor_ticks = s->ticks;
    }
    instance_lock(p);
    if (p->group) {
        p->main_pid = s->pid;
    } else {
        p->executor = s->pid;
        p->executor_ticks = s->ticks;
    }
    instance_unlock(p);
    p->base.place = p->group;
    p->base.containment = p->group ? CONTAINMENT_CGROUP : CONTAINMENT_BEST_EFFORT;
    instances_write(p->backend->instances, p->slot, &data);
}

static void open_gate(struct process_instance *p)
{
    instance_lock(p);
    executor_open_gate(p->socket);
    instance_unlock(p);
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

/* The gate was never opened: nothing but the executor is there. */
static void undo(struct process_instance *p)
{
    if (p->ours)
        executor_kill(p->pidfd);
    if (p->group)
        group_watch_discard(p->backend->group_watch, p->group);
    instances_let_go(p->backend->instances, p->slot, true);
    process_instance_free(p);
}

int process_start(struct backend *base, const struct launch *launch, void *owner,
                  struct instance **ret_instance, struct error *err)
{
    struct process_backend *backend = process_of(base);
    const struct service_spec *spec = launch->spec;
    struct process_instance *p = process_instance_new(backend, (struct service_spec *)spec,
                                                      spec->name, launch->generation, owner);
    struct preparation s = {.p = p, .launch = launch, .spec = spec, .group = -1};
    int r;

    if (!p)
        return error_set(err, -ENOMEM, "start %s: %m", spec->name);
    r = instances_reserve(backend->instances, spec->name, &p->slot, err);
    if (r < 0) {
        process_instance_free(p);
        return r;
    }
    r = prepare(&s, err);
    if (r == 0) {
        write_down(&s);
        *ret_instance = &p->base; /* before the first event may come */
        r = progress_watch(p, err);
        if (r < 0)
            progress_end(p);
    }
    if (r < 0) {
        undo(p);
        return r;
    }
    open_gate(p);
    return 0;
}
