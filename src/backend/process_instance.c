#include "process_instance.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/sys.h"
#include "cgroup.h"
#include "reload.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

struct process_instance *process_instance_new(struct process_backend *backend,
                                              struct service_spec *spec, const char *name,
                                              int64_t generation, void *owner)
{
    struct process_instance *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->base.ops = &process_ops;
    p->base.generation = generation;
    p->backend = backend;
    p->owner = owner;
    p->spec = spec_ref(spec);
    p->pidfd = p->socket = p->ready_fd = -1;
    p->slot = NO_SLOT;
    lock_init(&p->lock, LOCK_INSTANCE);
    instance_lock(p);
    p->main_fd = -1;
    instance_unlock(p);
    progress_init(p);
    if (asprintf(&p->marker, "ORDERLY_INSTANCE=%s.%" PRId64 ".%016" PRIx64, name, generation,
                 backend->token) < 0) {
        p->marker = NULL;
        process_instance_free(p);
        return NULL;
    }
    return p;
}

void process_instance_free(struct process_instance *p) NO_THREAD_SAFETY_CHECK /* none is left */
{
    if (!p)
        return;
    closep(&p->pidfd);
    closep(&p->socket);
    closep(&p->ready_fd);
    closep(&p->main_fd);
    reload_free(p->reload);
    spec_unref(p->spec);
    free(p->marker);
    free(p->group);
    lock_deinit(&p->lock);
    free(p);
}

struct tree process_instance_tree(struct process_instance *p)
{
    struct tree tree = {.marker = p->marker};

    instance_lock(p);
    tree.root = p->executor;
    tree.root_ticks = p->executor_ticks;
    instance_unlock(p);
    return tree;
}

/* ---- the calls of backend_ops on an instance ---- */

enum signalled { SIGNALLED, SIGNAL_LATER, SIGNAL_THE_REST };

/* Under the lock our own child is not reaped, so its number is its own, and its group's; of
 * others' children the pidfd says whether they are still there. */
static enum signalled signal_main(struct process_instance *p, int signal)
    REQUIRES(instance_lock_class)
{
    int fd = p->group ? p->pidfd : p->main_fd;

    if (!p->group && !p->started && p->executor) {
        p->pending_signal = signal;
        return SIGNAL_LATER;
    }
    if (p->main_gone || fd < 0 || sys_pidfd_send_signal(fd, 0) < 0)
        return SIGNAL_THE_REST;
    if (kill(-p->main_pid, signal) < 0)
        sys_pidfd_send_signal(fd, signal); /* it has not made its session yet */
    return SIGNALLED;
}

static int signal_group(struct process_instance *p, int signal, struct error *err)
{
    enum signalled done;
    struct tree tree;

    instance_lock(p);
    done = p->tree_gone ? SIGNALLED : signal_main(p, signal);
    instance_unlock(p);
    if (done != SIGNAL_THE_REST)
        return 0;
    if (p->group)
        return cgroup_signal(p->group, signal, err);
    tree = process_instance_tree(p);
    return tree_signal(&tree, signal, err);
}

/* The executor, before it has become the program, would take most signals for its end. */
static int signal_main_alone(struct process_instance *p, int signal, struct error *err)
{
    int fd, r;

    instance_lock(p);
    fd = p->group ? p->pidfd : p->main_fd;
    if (!p->started)
        r = error_set(err, -ESRCH, "the main process has not begun yet");
    else if (p->main_gone || fd < 0 || (r = sys_pidfd_send_signal(fd, signal)) == -ESRCH)
        r = error_set(err, -ESRCH, "the main process has gone");
    else if (r < 0)
        error_set(err, r, "signal the main process: %m");
    instance_unlock(p);
    return r;
}

/* An executor that has not said yet that the service runs may not be in its group yet, or fork the
 * service at any moment: it goes first, and the rest is found by the marker that it has, too. */
static void kill_unstarted(struct process_instance *p)
{
    instance_lock(p);
    if (!p->started)
        sys_pidfd_send_signal(p->pidfd, SIGKILL);
    instance_unlock(p);
}

/* One that somebody has stopped could not tell that nothing is left. */
static void wake_executor(struct process_instance *p)
{
    instance_lock(p);
    if (p->executor)
        sys_pidfd_send_signal(p->pidfd, SIGCONT);
    instance_unlock(p);
}

static int kill_tree(struct process_instance *p, struct error *err)
{
    struct tree tree;
    bool gone;
    int r;

    instance_lock(p);
    gone = p->tree_gone;
    instance_unlock(p);
    if (gone)
        return 0;
    kill_unstarted(p);
    reload_kill(p); /* which may not be in the group yet either */
    if (p->group)
        return cgroup_kill(p->group, err);
    tree = process_instance_tree(p);
    r = tree_kill(&tree, err);
    wake_executor(p);
    return r;
}

static int process_signal(struct instance *instance, int signal, enum reach reach,
                          struct error *err)
{
    struct process_instance *p = (struct process_instance *)instance;

    switch (reach) {
    case REACH_MAIN: return signal_main_alone(p, signal, err);
    case REACH_GROUP:
        return FAULTS(signal_send) ? error_set(err, -errno, "%m") : signal_group(p, signal, err);
    case REACH_TREE: return kill_tree(p, err);
    case REACH_RELOAD: reload_kill(p); return 0;
    }
    return error_set(err, -EINVAL, "signal: %m");
}

static void process_mark(struct instance *instance, enum instance_phase phase)
{
    struct process_instance *p = (struct process_instance *)instance;

    instances_mark(p->backend->instances, p->slot, phase);
}

static void process_release(struct instance *instance)
{
    struct process_instance *p = (struct process_instance *)instance;
    bool gone;

    if (!p)
        return;
    if (p->slot == NO_SLOT) {
        process_undo(p);
        return;
    }
    progress_end(p);
    instance_lock(p);
    gone = p->tree_gone;
    instance_unlock(p);
    instances_let_go(p->backend->instances, p->slot, gone);
    process_instance_free(p);
}

const struct backend_ops process_ops = {
    .prepare = process_prepare,
    .start = process_start,
    .adopt = process_adopt,
    .signal = process_signal,
    .reload = process_reload,
    .mark = process_mark,
    .release = process_release,
};
