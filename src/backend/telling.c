#include "telling.h"

#include <errno.h>
#include <unistd.h>

static void tell(struct process_instance *p, struct backend_event event)
{
    event.generation = p->base.generation;
    p->backend->listener(p->owner, &event);
}

void tell_ready(struct process_instance *p)
{
    if (p->ready_told || !p->outcome_told)
        return;
    p->ready_told = true;
    tell(p, (struct backend_event){.kind = BACKEND_READY});
}

void tell_started(struct process_instance *p)
{
    if (p->outcome_told)
        return;
    p->outcome_told = true;
    instance_lock(p);
    p->started = true;
    instance_unlock(p);
    tell(p, (struct backend_event){.kind = BACKEND_STARTED,
                                   .pid = p->group ? p->base.pid : p->reported_pid});
    if (p->ready_seen)
        tell_ready(p);
}

void tell_start_error(struct process_instance *p, const char *detail)
{
    if (p->outcome_told)
        return;
    p->outcome_told = p->ready_told = true; /* it will not be ready */
    tell(p, (struct backend_event){.kind = BACKEND_START_ERROR, .detail = detail});
}

void tell_reloaded(struct process_instance *p, struct exit_cause cause, const char *detail)
{
    tell(p, (struct backend_event){.kind = BACKEND_RELOADED, .exit = cause, .detail = detail});
}

static void tell_exit(struct process_instance *p, struct exit_cause cause, bool more)
{
    if (p->main_told)
        return;
    p->main_told = p->ready_told = true;
    instance_lock(p);
    p->main_gone = true;
    instance_unlock(p);
    tell(p, (struct backend_event){.kind = BACKEND_MAIN_EXITED, .exit = cause, .more = more});
}

void tell_main_exited(struct process_instance *p, struct exit_cause cause)
{
    tell_exit(p, cause, false);
}

static void discard_group(struct process_instance *p)
{
    if (!p->group || p->group_discarded)
        return;
    p->group_discarded = true;
    group_watch_remove(p->backend->group_watch, &p->group_wait);
    group_watch_discard(p->backend->group_watch, p->group);
}

bool tell_remove_group(struct process_instance *p)
{
    if (rmdir(p->group) < 0 && errno != ENOENT)
        return false;
    p->group_discarded = true;
    group_watch_remove(p->backend->group_watch, &p->group_wait);
    return true;
}

void tell_tree_gone(struct process_instance *p)
{
    if (p->gone_told)
        return;
    p->gone_told = true;
    discard_group(p);
    instance_lock(p);
    p->tree_gone = true;
    instance_unlock(p);
    tell(p, (struct backend_event){.kind = BACKEND_TREE_GONE});
}

void tell_all_ended(struct process_instance *p, struct exit_cause cause)
{
    tell_exit(p, cause, !p->gone_told);
    tell_tree_gone(p);
}
