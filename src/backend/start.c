/* start - a start in order: group, readiness FIFO, settings, executor, the record, the gate. What
 * goes wrong before the gate is undone, and nothing has run. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/sys.h"
#include "cgroup.h"
#include "environment.h"
#include "identity.h"
#include "launch.h"
#include "process_instance.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void list_deinit(struct string_list *list)
{
    string_list_clear(list);
}

/* What one start has open, until the executor has it. */
struct preparation {
    struct process_instance *p;
    const struct service_spec *spec;
    const char *fifo;
    char *ready;
    int group, settings, gate; /* descriptors; gate: the executor's end */
    pid_t pid;
    uint64_t ticks;
};

static int make_group(struct preparation *s, struct error *err)
{
    const struct backend *b = s->p->backend;

    if (!b->parent)
        return 0;
    if (asprintf(&s->p->group, "%s/%s.%" PRId64, b->parent, s->spec->name, s->p->base.generation) <
        0) {
        s->p->group = NULL;
        return error_set(err, -ENOMEM, "make a group: %m");
    }
    s->group = cgroup_make(s->p->group, err);
    return s->group < 0 ? s->group : 0;
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

static int make_settings(struct preparation *s, struct error *err)
{
    const struct backend *b = s->p->backend;
    CLEANUP(list_deinit) struct string_list environment = {0};
    struct launch launch = {
        .spec = s->spec,
        .stdio = s->fifo ? s->fifo : "",
        .ready = s->ready ? s->ready : "",
        .cgroup = s->p->group && !b->spawner.clones_into ? s->p->group : "",
        .stay = !s->p->group,
        .environment = &environment,
        .nofile = b->nofile,
    };
    int r =
        environment_build(&b->environment, s->spec, s->p->marker, &environment, &launch.own_count);

    if (r < 0)
        return error_set(err, r, "make the environment: %m");
    return launch_settings(&launch, &s->settings, err);
}

static int make_gate(struct preparation *s, struct error *err)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set(err, -errno, "make a socket pair: %m");
    s->p->socket = pair[0];
    s->gate = pair[1];
    return 0;
}

static int spawn(struct preparation *s, struct error *err)
{
    struct backend *b = s->p->backend;
    struct spawn spawn = {
        .executor = b->executor,
        .marker = s->p->marker,
        .settings = s->settings,
        .gate = s->gate,
        .cgroup = b->spawner.clones_into ? s->group : -1,
    };
    struct process_stat st = {0};
    int r = spawner_spawn(&b->spawner, &spawn, &s->pid, &s->p->pidfd, err);

    if (r < 0)
        return r;
    s->p->ours = true;
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
    p->base.containment = p->group ? CONTAINMENT_CGROUP : CONTAINMENT_BEST_EFFORT;
    instances_write(p->backend->instances, p->slot, &data);
}

/* An executor that has ended by now is told of by its own watch. */
static void open_gate(struct process_instance *p)
{
    static const char word = GATE_OPEN;

    instance_lock(p);
    if (p->socket >= 0)
        (void)!send(p->socket, &word, sizeof word, MSG_NOSIGNAL | MSG_DONTWAIT);
    instance_unlock(p);
}

static int prepare(struct preparation *s, struct error *err)
{
    int r = make_group(s, err);

    if (r == 0)
        r = make_ready(s, err);
    if (r == 0)
        r = make_settings(s, err);
    if (r == 0)
        r = make_gate(s, err);
    if (r == 0)
        r = spawn(s, err);
    return r;
}

/* The gate was never opened: nothing but the executor is there. */
static void undo(struct process_instance *p)
{
    if (p->ours) {
        struct pollfd wait = {.fd = p->pidfd, .events = POLLIN};
        siginfo_t info;

        sys_pidfd_send_signal(p->pidfd, SIGKILL);
        while (poll(&wait, 1, -1) < 0 && errno == EINTR)
            ;
        waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED | WNOHANG);
    }
    if (p->group)
        group_watch_discard(p->backend->group_watch, p->group);
    instances_let_go(p->backend->instances, p->slot, true);
    process_instance_free(p);
}

int process_start(struct backend *backend, const struct service_spec *spec, int64_t generation,
                  const char *fifo, void *owner, struct instance **ret_instance, struct error *err)
{
    struct process_instance *p =
        process_instance_new(backend, (struct service_spec *)spec, spec->name, generation, owner);
    struct preparation s = {
        .p = p, .spec = spec, .fifo = fifo, .group = -1, .settings = -1, .gate = -1};
    int r;

    if (!p)
        return error_set(err, -ENOMEM, "start %s: %m", spec->name);
    r = instances_reserve(backend->instances, spec->name, &p->slot, err);
    if (r < 0) {
        process_instance_free(p);
        return r;
    }
    r = prepare(&s, err);
    closep(&s.group);
    closep(&s.settings);
    closep(&s.gate);
    free(s.ready);
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
