/* adopt - takes over an instance that an earlier daemon has left, from its record: what lives of
 * it is judged by pid and start time, and only within the boot that the record is of. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "cgroup.h"
#include "identity.h"
#include "process_instance.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void lost(struct process_instance *p, enum wake *ret_wake)
{
    *ret_wake = WAKE_LOST;
    instance_lock(p);
    p->main_gone = true;
    instance_unlock(p);
}

/* Its group: the main process, or what has outlived it. -errno: which, can't be known now, and must
 * not be taken for an end. */
static int adopt_group(struct process_instance *p, const struct instance_data *data,
                       bool *ret_alive, enum wake *ret_wake)
{
    bool populated = true;

    p->pidfd = process_open(data->pid, data->ticks);
    if (p->pidfd >= 0) {
        instance_lock(p);
        p->main_pid = data->pid;
        p->main_fd = -1;
        instance_unlock(p);
        *ret_alive = true;
        return 0;
    }
    if (p->pidfd != -ESRCH)
        return p->pidfd;
    lost(p, ret_wake);
    if (cgroup_populated(p->group, &populated, NULL) < 0 || populated)
        *ret_wake = WAKE_MAIN_LOST;
    return 0;
}

/* Its executor, and the main process below that; -errno as above. */
static int adopt_staying(struct process_instance *p, const struct instance_data *data,
                         bool *ret_alive, enum wake *ret_wake)
{
    int main_fd;

    p->pidfd = process_open(data->executor, data->executor_ticks);
    if (p->pidfd < 0 && p->pidfd != -ESRCH)
        return p->pidfd;
    if (p->pidfd < 0) {
        lost(p, ret_wake);
        *ret_wake = WAKE_HUNT; /* what still carries its marker, if anything */
        return 0;
    }
    main_fd = data->pid ? process_open(data->pid, data->ticks) : -ESRCH;
    if (main_fd < 0 && main_fd != -ESRCH)
        return main_fd;
    main_fd = main_fd < 0 ? -1 : main_fd;
    instance_lock(p);
    p->executor = data->executor;
    p->executor_ticks = data->executor_ticks;
    p->main_pid = main_fd >= 0 ? data->pid : 0;
    p->main_fd = main_fd;
    p->main_gone = data->pid && main_fd < 0;
    instance_unlock(p);
    *ret_alive = main_fd >= 0;
    *ret_wake = data->pid ? WAKE_MAIN_LOST : WAKE_FIND_MAIN;
    return 0;
}

static char *group_path(struct process_backend *backend, const struct instance_data *data)
{
    char parent[PARENT_PATH_SIZE];
    char *path;

    if (!instances_parent(backend->instances, data->parent, parent))
        return NULL;
    return asprintf(&path, "%s/%s.%lld", parent, data->service, (long long)data->generation) < 0
               ? NULL
               : path;
}

/* Whether it has become the service's program. One that is ending has nothing that it executes any
 * more; what we may not look at is taken for the program. */
static bool is_program(const struct process_backend *backend, pid_t pid)
{
    char path[32];
    struct stat of_process, of_executor;

    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    if (stat(path, &of_process) < 0)
        return errno != ENOENT && errno != ESRCH;
    return stat(backend->executor, &of_executor) < 0 || of_process.st_dev != of_executor.st_dev ||
           of_process.st_ino != of_executor.st_ino;
}

/* It was the program before and is it still, so it is neither one that has not opened its end yet
 * nor one whose end was closed by its own. */
static bool has_closed_ready(const struct process_backend *backend, pid_t pid, const char *path)
{
    return pid > 0 && is_program(backend, pid) && ready_closed(path) && is_program(backend, pid);
}

/* A program that has closed its end has said what it had to say; with nobody listening it is lost,
 * so we say it in its place. */
static void open_ready(struct process_instance *p, const struct service_spec *spec,
                       const struct instance_record *record, pid_t pid)
{
    CLEANUP(freep) char *path = NULL;
    bool closed;

    if (spec->readiness != READINESS_FD || record->phase != PHASE_STARTING)
        return;
    path = ready_path(p->backend, record->service);
    closed = path && has_closed_ready(p->backend, pid, path);
    p->ready_fd = path ? ready_open(path) : -1;
    if (p->ready_fd < 0)
        p->ready_fd = -1;
    else if (closed && write(p->ready_fd, "\n", 1) < 0)
        close(take_fd(&p->ready_fd));
}

/* Whether its main process is known to live; else *ret_wake tells what is to be found out. */
static int judge(struct process_instance *p, const struct instance_data *data, bool *ret_alive,
                 enum wake *ret_wake, struct error *err)
{
    int r = 0;

    if (data->boot != p->backend->boot)
        lost(p, ret_wake); /* its pids are others' now */
    else if (p->group)
        r = adopt_group(p, data, ret_alive, ret_wake);
    else
        r = adopt_staying(p, data, ret_alive, ret_wake);
    if (p->pidfd < 0)
        p->pidfd = -1;
    return r < 0 ? error_set(err, r, "whether pid %d still runs: %m", (int)data->pid) : 0;
}

int process_adopt(struct backend *base, const struct service_spec *spec,
                  const struct instance_record *record, void *owner, struct instance **ret_instance,
                  struct error *err)
{
    struct process_backend *backend = process_of(base);
    struct instance_data data;
    struct process_instance *p;
    enum wake wake = WAKE_LOST;
    size_t slot;
    bool alive = false;
    int r = instances_claim(backend->instances, record->service, record->generation, &slot, &data);

    if (r < 0)
        return error_set(err, r, "no instance %lld of %s is written down",
                         (long long)record->generation, record->service);
    p = process_instance_new(backend, (struct service_spec *)spec, record->service,
                             record->generation, owner);
    if (p)
        p->group = data.parent == NO_PARENT ? NULL : group_path(backend, &data);
    if (!p || (data.parent != NO_PARENT && !p->group)) {
        instances_let_go(backend->instances, slot, false);
        process_instance_free(p);
        return error_set(err, -ENOMEM, "adopt %s: %m", record->service);
    }
    p->slot = slot;
    p->base.pid = data.pid;
    p->base.place = p->group;
    p->base.containment = p->group ? CONTAINMENT_CGROUP : CONTAINMENT_BEST_EFFORT;
    p->outcome_told = true;
    instance_lock(p);
    p->started = true;
    instance_unlock(p);
    r = judge(p, &data, &alive, &wake, err);
    if (r == 0 && p->pidfd >= 0)
        open_ready(p, spec, record, data.pid);
    *ret_instance = &p->base; /* before the first event may come */
    if (r == 0 && alive)
        r = progress_watch(p, err);
    if (r < 0) {
        *ret_instance = NULL;
        progress_end(p);
        instances_let_go(backend->instances, slot, false);
        process_instance_free(p);
        return r;
    }
    if (!alive)
        progress_wake(p, wake, clock_mono_us()); /* which watches too, for all that follows */
    return 0;
}
