#include "reports.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/sys.h"
#include "exec_order.h"
#include "identity.h"
#include "telling.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void take_ready(struct process_instance *p)
{
    if (p->ready_fd < 0 || !ready_told(p->backend->ready_copy, p->ready_fd))
        return;
    p->ready_seen = true;
    watcher_remove(p->backend->watcher, &p->ready_watch);
    close(take_fd(&p->ready_fd));
    tell_ready(p);
}

bool take_main(struct process_instance *p, pid_t pid)
{
    struct process_stat st;
    int fd = sys_pidfd_open(pid);
    bool found;

    p->reported_pid = pid; /* the core learns it with STARTED: base is the core's own */
    instance_lock(p);
    found = fd >= 0 && process_stat(pid, &st) == 0 && st.parent == p->executor;
    p->main_pid = found ? pid : 0;
    p->main_fd = found ? fd : -1;
    instance_unlock(p);
    if (found)
        instances_set_main(p->backend->instances, p->slot, pid, st.ticks);
    else
        closep(&fd); /* it has ended already */
    return found;
}

/* A stop signal that came before there was anyone to take it. */
static void send_pending(struct process_instance *p)
{
    instance_lock(p);
    if (p->pending_signal && p->main_fd >= 0)
        sys_pidfd_send_signal(p->main_fd, p->pending_signal);
    p->pending_signal = 0;
    p->started = true; /* from here on signals go straight to it */
    instance_unlock(p);
}

static void take_report(struct process_instance *p, const struct exec_report *report)
{
    char detail[512];

    switch ((enum exec_report_kind)report->kind) {
    case REPORT_EXECUTING:
        p->executing = true;
        if (!p->group) { /* it comes once execve has succeeded */
            take_main(p, report->value);
            send_pending(p);
            tell_started(p);
        }
        return;
    case REPORT_FAILED:
        exec_failure_text(p->spec, &p->spec->argv, report, detail, sizeof detail);
        tell_start_error(p, detail);
        return;
    case REPORT_EXITED:
        if (!p->executing)
            return; /* a start that failed: the executor's own end tells */
        take_ready(p);
        tell_main_exited(p, exit_cause_from_wait(report->value));
        return;
    case REPORT_EMPTY: p->empty = true; return;
    }
}

/* Why: it could not be read what the executor says; NULL: it says no more. Of one that cannot be
 * heard it can't be known what it does: it is ended. */
static void end_of_reports(struct process_instance *p, const char *why)
{
    char detail[128] = "the executor ended before it could start the program";

    if (why && !p->executing) {
        snprintf(detail, sizeof detail, "cannot read what the executor says: %s", why);
        sys_pidfd_send_signal(p->pidfd, SIGKILL);
    }
    watcher_remove(p->backend->watcher, &p->socket_watch);
    instance_lock(p);
    close(take_fd(&p->socket));
    instance_unlock(p);
    if (p->executing)
        tell_started(p); /* unless it has failed since */
    else
        tell_start_error(p, detail);
}

/* The end of file is not waited for when the executor has ended: it may be held back by a copy of
 * the socket in a child that is just being started. */
void take_reports(struct process_instance *p, bool final)
{
    struct exec_report report;
    ssize_t n = 0;

    if (p->socket < 0)
        return;
    while ((n = FAULTS(exec_report) ? -1 : recv(p->socket, &report, sizeof report, MSG_DONTWAIT)) ==
               sizeof report ||
           (n < 0 && errno == ECONNRESET)) /* told once, before what was sent */
        if (n > 0)
            take_report(p, &report);
    if (n >= 0 || final || (errno != EAGAIN && errno != EINTR))
        end_of_reports(p, n < 0 && !final ? strerrordesc_np(errno) : NULL);
}
