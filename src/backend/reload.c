#include "reload.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/sys.h"
#include "ending.h"
#include "exec_order.h"
#include "executor.h"
#include "telling.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* ---- its end, on the watcher's thread ---- */

/* A tree that has ended meanwhile is looked at again. */
static void go_on(struct process_instance *p)
{
    if (!p->reload->held)
        return;
    p->reload->held = false;
    ending_check(p);
}

static void on_abandoned(struct deadline *deadline)
{
    struct process_instance *p = list_entry(deadline, struct reload, abandoned)->instance;
    bool released;

    instance_lock(p);
    released = p->released;
    instance_unlock(p);
    if (!released)
        go_on(p);
}

/* Everything that the executor has said was said before it ended. */
static bool has_failed(struct reload *reload, char *text, size_t size)
{
    const struct service_spec *spec = reload->spec;
    struct exec_report report;
    ssize_t n;

    while ((n = recv(reload->socket, &report, sizeof report, MSG_DONTWAIT)) == sizeof report ||
           (n < 0 && errno == ECONNRESET)) /* told once, before what was sent */
        if (n > 0 && report.kind == REPORT_FAILED) {
            exec_failure_text(spec, &spec->reload_argv, &report, text, size);
            return true;
        }
    return false;
}

static struct exit_cause reap(struct process_instance *p)
{
    struct exit_cause cause = {.kind = EXIT_UNKNOWN};
    siginfo_t info = {0};

    instance_lock(p);
    if (waitid(P_PIDFD, (id_t)p->reload->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0)
        cause = info.si_code == CLD_EXITED ? (struct exit_cause){EXIT_CODE, info.si_status}
                                           : (struct exit_cause){EXIT_SIGNAL, info.si_status};
    p->reload_pid = 0;
    instance_unlock(p);
    return cause;
}

static void close_all(struct reload *reload)
{
    closep(&reload->pidfd);
    closep(&reload->socket);
    spec_unref(reload->spec);
    reload->pidfd = reload->socket = -1;
    reload->spec = NULL;
}

static void on_end(struct watch *watch, uint32_t events)
{
    struct process_instance *p = list_entry(watch, struct reload, watch)->instance;
    struct exit_cause cause;
    char detail[512];
    bool released, failed;

    (void)events;
    instance_lock(p);
    released = p->released;
    instance_unlock(p);
    if (released)
        return;
    watcher_remove(p->backend->watcher, watch);
    cause = reap(p);
    failed = has_failed(p->reload, detail, sizeof detail);
    instance_lock(p);
    close_all(p->reload);
    p->reloading = false; /* the next may come as soon as this one is told of */
    instance_unlock(p);
    tell_reloaded(p, cause, failed ? detail : NULL);
    go_on(p);
}

/* ---- its beginning, on a worker ---- */

/* That of all the instance's reloads, one after the other. */
static struct reload *reload_new(struct process_instance *p)
{
    struct reload *reload = calloc(1, sizeof *reload);

    if (!reload)
        return NULL;
    reload->instance = p;
    reload->watch.ready = on_end;
    reload->abandoned.passed = on_abandoned;
    reload->pidfd = reload->socket = -1;
    return reload;
}

static int may_begin(struct process_instance *p, pid_t *ret_main, struct error *err)
{
    int r = 0;

    instance_lock(p);
    if (p->tree_gone || p->main_gone)
        r = error_set(err, -ESRCH, "the main process has gone");
    else if (!p->started || p->main_pid == 0)
        r = error_set(err, -EAGAIN, "the main process is not known yet");
    else if (p->reloading)
        r = error_set(err, -EBUSY, "another reload command still runs");
    else if (!p->reload)
        p->reload = reload_new(p);
    if (r == 0 && !p->reload)
        r = error_set(err, -ENOMEM, "start the reload command: %m");
    if (r == 0)
        p->reloading = true; /* from here on the tree is held */
    *ret_main = p->main_pid;
    instance_unlock(p);
    return r;
}

/* It joins its group by itself, before the gate: a clone into a group that somebody has frozen
 * would never come back. */
static int spawn(struct process_instance *p, const struct launch *launch, pid_t main_pid,
                 struct executor *ret_executor, struct error *err)
{
    char added[24];
    struct program program = {
        .launch = launch,
        .argv = &launch->spec->reload_argv,
        .added = added,
        .join = p->group,
        .group = -1,
    };

    snprintf(added, sizeof added, "MAINPID=%d", (int)main_pid);
    if (FAULTS(reload_spawn))
        return error_set(err, -errno, "start the reload command: %m");
    return executor_spawn(p, &program, ret_executor, err);
}

/* Unless it has ended, and is closed, by now. */
static int open_gate(const struct reload *reload, struct error *err)
{
    int r = executor_open_gate(reload->socket);

    return r < 0 ? error_set(err, r, "open the executor's gate: %m") : 0;
}

static int watch_over(struct process_instance *p, const struct launch *launch,
                      const struct executor *executor, struct error *err)
{
    struct reload *reload = p->reload;
    int r;

    instance_lock(p);
    reload->pidfd = executor->pidfd;
    reload->socket = executor->socket;
    reload->spec = spec_ref((struct service_spec *)launch->spec);
    p->reload_pid = executor->pid;
    p->reload_ran = true;
    instance_unlock(p);
    r = watcher_add(p->backend->watcher, &reload->watch, reload->pidfd, EPOLLIN, err);
    instance_lock(p);
    if (r == 0)
        r = open_gate(reload, err);
    if (r < 0)
        p->reload_pid = 0;
    instance_unlock(p);
    if (r < 0) {
        watcher_remove(p->backend->watcher, &reload->watch);
        executor_kill(reload->pidfd);
        close_all(reload);
    }
    return r;
}

/* Nothing runs; but the end of the tree may have waited for it. */
static void abandon(struct process_instance *p)
{
    instance_lock(p);
    p->reloading = false;
    instance_unlock(p);
    watcher_set(p->backend->watcher, &p->reload->abandoned, clock_mono_us());
}

int process_reload(struct instance *instance, const struct launch *launch, struct error *err)
{
    struct process_instance *p = (struct process_instance *)instance;
    struct executor executor;
    pid_t main_pid;
    int r = may_begin(p, &main_pid, err);

    if (r < 0)
        return r;
    r = spawn(p, launch, main_pid, &executor, err);
    if (r == 0)
        r = watch_over(p, launch, &executor, err);
    if (r < 0)
        abandon(p);
    return r;
}

/* ---- both ---- */

void reload_end(struct process_instance *p)
{
    if (!p->reload)
        return;
    watcher_remove(p->backend->watcher, &p->reload->watch);
    watcher_clear(p->backend->watcher, &p->reload->abandoned);
}

void reload_free(struct reload *reload)
{
    if (!reload)
        return;
    close_all(reload);
    free(reload);
}

bool reload_holds(struct process_instance *p)
{
    bool holds;

    instance_lock(p);
    holds = p->reloading;
    if (p->reload)
        p->reload->held = holds;
    instance_unlock(p);
    return holds;
}

/* Under the lock it is not reaped, so its number is its own, and its group's. */
void reload_kill(struct process_instance *p)
{
    instance_lock(p);
    if (p->reload_pid && kill(-p->reload_pid, SIGKILL) < 0)
        sys_pidfd_send_signal(p->reload->pidfd, SIGKILL); /* it has not made its session yet */
    instance_unlock(p);
}
