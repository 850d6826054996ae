/* progress - what happens to an instance is found out and told here, in order: STARTED or
 * START_ERROR, READY, MAIN_EXITED, TREE_GONE, each at most once, all on the watcher's thread. (Of a
 * reload command, which may come any number of times between, reload.c tells.) */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/sys.h"
#include "ending.h"
#include "identity.h"
#include "process_instance.h"
#include "reload.h"
#include "reports.h"
#include "telling.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#define STATUS_WAIT    (100 * USEC_PER_MSEC)
#define SHORTEST_PAUSE (10 * USEC_PER_MSEC)
#define LONGEST_PAUSE  (1 * USEC_PER_SEC)

static bool is_released(struct process_instance *p)
{
    bool released;

    instance_lock(p);
    released = p->released;
    instance_unlock(p);
    return released;
}

static const struct exit_cause unknown = {.kind = EXIT_UNKNOWN};

/* ---- what is said ---- */

static void on_socket(struct watch *watch, uint32_t events)
{
    struct process_instance *p = list_entry(watch, struct process_instance, socket_watch);

    (void)events;
    if (!is_released(p))
        take_reports(p, false);
}

static void on_ready(struct watch *watch, uint32_t events)
{
    struct process_instance *p = list_entry(watch, struct process_instance, ready_watch);

    (void)events;
    if (is_released(p))
        return;
    take_reports(p, false); /* it was started first */
    take_ready(p);
}

/* ---- ends ---- */

/* Under the lock, so that no signal goes to the number of a process that is no more. */
static struct exit_cause reap(struct process_instance *p, bool *ret_ours)
{
    struct exit_cause cause = unknown;
    siginfo_t info = {0};

    instance_lock(p);
    *ret_ours = waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0;
    if (*ret_ours)
        cause = info.si_code == CLD_EXITED ? (struct exit_cause){EXIT_CODE, info.si_status}
                                           : (struct exit_cause){EXIT_SIGNAL, info.si_status};
    if (p->group)
        p->main_gone = true;
    else
        p->executor = 0;
    instance_unlock(p);
    return cause;
}

/* Before its parent has reaped it, and after that: two places tell. */
static int status_now(struct process_instance *p, int fd, int *ret_status)
{
    pid_t pid;
    int r;

    instance_lock(p);
    pid = p->main_pid;
    instance_unlock(p);
    r = process_zombie_status(pid, fd, ret_status);
    return r == 0 ? 0 : sys_pidfd_exit_status(fd, ret_status);
}

/* Of a process that is not our child. Where only its being reaped will tell, HUP says when. False:
 * not yet, and the watch goes on until then, for a while. */
static bool status_of_other(struct process_instance *p, struct watch *watch, uint32_t events,
                            struct exit_cause *ret_cause)
{
    int fd = watch->fd, status, r = status_now(p, fd, &status);

    *ret_cause = r == 0 ? exit_cause_from_wait(status) : unknown;
    if (r != -ENODATA || (events & EPOLLHUP) ||
        watcher_add(p->backend->watcher, watch, fd, 0 /* HUP always comes */, NULL) < 0) {
        watcher_clear(p->backend->watcher, &p->wake);
        return true;
    }
    progress_wake(p, WAKE_STATUS, clock_mono_us() + STATUS_WAIT);
    return false;
}

static void main_ended(struct process_instance *p, struct exit_cause cause)
{
    if (ending_with_main(p)) {
        tell_all_ended(p, cause);
        return;
    }
    tell_main_exited(p, cause);
    if (p->group)
        ending_group(p);
}

static struct exit_cause status_of_main(struct process_instance *p)
{
    struct exit_cause cause = unknown;
    int status;

    instance_lock(p);
    if (p->main_fd >= 0 && sys_pidfd_exit_status(p->main_fd, &status) == 0)
        cause = exit_cause_from_wait(status);
    instance_unlock(p);
    return cause;
}

static void executor_ended(struct process_instance *p, struct exit_cause cause)
{
    watcher_remove(p->backend->watcher, &p->main_watch);
    if (p->ours && !p->executing)
        tell_main_exited(p, cause); /* of the start that failed */
    else
        tell_main_exited(p, status_of_main(p));
    ending_executor(p);
}

/* Of the main process, or of the executor that stays. */
static void on_pid(struct watch *watch, uint32_t events)
{
    struct process_instance *p = list_entry(watch, struct process_instance, pid_watch);
    struct exit_cause cause;
    bool ours;

    if (is_released(p))
        return;
    watcher_remove(p->backend->watcher, watch);
    take_reports(p, true);
    take_ready(p);
    /* one that was adopted is our child all the same when this program has become another */
    cause = reap(p, &ours);
    if (!ours && !p->ours && p->group && !status_of_other(p, watch, events, &cause))
        return;
    if (p->group)
        main_ended(p, cause);
    else
        executor_ended(p, cause);
}

/* Of the main process below an adopted executor. */
static void on_main(struct watch *watch, uint32_t events)
{
    struct process_instance *p = list_entry(watch, struct process_instance, main_watch);
    struct exit_cause cause;

    if (is_released(p))
        return;
    watcher_remove(p->backend->watcher, watch);
    take_ready(p);
    if (status_of_other(p, watch, events, &cause))
        main_ended(p, cause);
}

static int watch_if_open(struct process_instance *p, struct watch *watch, int fd, uint32_t events,
                         struct error *err)
{
    return fd < 0 || watch->added ? 0 : watcher_add(p->backend->watcher, watch, fd, events, err);
}

/* In a group all that the executor says is followed by its end of the socket, which is told in any
 * case: what came before is read then, and wakes nobody by itself. */
static int watch_socket(struct process_instance *p, struct error *err)
{
    return watch_if_open(p, &p->socket_watch, p->socket, p->group ? 0 : EPOLLIN, err);
}

static int watch_main(struct process_instance *p, struct error *err)
{
    int fd;

    instance_lock(p);
    fd = p->main_fd;
    instance_unlock(p);
    return watch_if_open(p, &p->main_watch, fd, EPOLLIN, err);
}

static void find_main(struct process_instance *p)
{
    char path[40], name[32];
    pid_t executor;
    int pid;

    instance_lock(p);
    executor = p->executor;
    instance_unlock(p);
    snprintf(path, sizeof path, "/proc/%d/comm", (int)executor);
    if (!executor || small_read(path, name, sizeof name) < 0)
        return; /* its end is told by its own watch */
    if (sscanf(name, "main %d", &pid) != 1) {
        progress_look_again(p, WAKE_FIND_MAIN);
    } else if (!take_main(p, pid)) {
        tell_main_exited(p, unknown);
    } else {
        p->outcome_told = false; /* the pid is news */
        tell_started(p);
        watch_main(p, NULL);
    }
}

static void on_wake(struct deadline *deadline)
{
    struct process_instance *p = list_entry(deadline, struct process_instance, wake);

    if (is_released(p))
        return;
    if (!p->watched && progress_watch(p, NULL) < 0) {
        p->watched = false;
        progress_look_again(p, p->wake_for);
        return;
    }
    switch (p->wake_for) {
    case WAKE_LOST:
        tell_main_exited(p, unknown);
        tell_tree_gone(p);
        return;
    case WAKE_MAIN_LOST: main_ended(p, unknown); return;
    case WAKE_STATUS:
        watcher_remove(p->backend->watcher, p->group ? &p->pid_watch : &p->main_watch);
        main_ended(p, unknown);
        return;
    case WAKE_GROUP: ending_group(p); return;
    case WAKE_HUNT:
        tell_main_exited(p, unknown);
        ending_hunt(p);
        return;
    case WAKE_FIND_MAIN: find_main(p); return;
    }
}

/* ---- watching ---- */

void progress_init(struct process_instance *p)
{
    p->pid_watch.ready = on_pid;
    p->socket_watch.ready = on_socket;
    p->ready_watch.ready = on_ready;
    p->main_watch.ready = on_main;
    p->wake.passed = on_wake;
}

/* In this order: a callback closes nothing that is yet to be watched. */
int progress_watch(struct process_instance *p, struct error *err)
{
    int r;

    p->watched = true;
    r = watch_socket(p, err);
    if (r == 0)
        r = watch_if_open(p, &p->ready_watch, p->ready_fd, EPOLLIN, err);
    if (r == 0 && !p->ours)
        r = watch_main(p, err);
    if (r == 0)
        r = watch_if_open(p, &p->pid_watch, p->pidfd, EPOLLIN, err);
    return r;
}

void progress_wake(struct process_instance *p, enum wake why, int64_t at_mono)
{
    p->wake_for = why;
    watcher_set(p->backend->watcher, &p->wake, at_mono);
}

void progress_look_again(struct process_instance *p, enum wake why)
{
    p->pause = p->pause ? 2 * p->pause : SHORTEST_PAUSE;
    if (p->pause > LONGEST_PAUSE)
        p->pause = LONGEST_PAUSE;
    progress_wake(p, why, clock_mono_us() + p->pause);
}

void progress_end(struct process_instance *p)
{
    instance_lock(p);
    p->released = true; /* from here on a callback that begins does nothing */
    instance_unlock(p);
    for (int pass = 0; pass < 2; pass++) { /* one that had begun may have added another */
        watcher_remove(p->backend->watcher, &p->socket_watch);
        watcher_remove(p->backend->watcher, &p->ready_watch);
        watcher_remove(p->backend->watcher, &p->main_watch);
        watcher_remove(p->backend->watcher, &p->pid_watch);
        if (p->backend->group_watch)
            group_watch_remove(p->backend->group_watch, &p->group_wait);
        watcher_clear(p->backend->watcher, &p->wake);
        reload_end(p);
    }
}
