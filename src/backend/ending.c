#include "ending.h"

#include "cgroup.h"
#include "reload.h"
#include "telling.h"

static bool group_empty(const struct process_instance *p)
{
    bool populated = true;

    return cgroup_populated(p->group, &populated, NULL) == 0 && !populated;
}

/* A reload command that is about to join the group, or has just ended, is still to be told of. */
static void group_ended(struct process_instance *p)
{
    if (!reload_holds(p))
        tell_tree_gone(p);
}

bool ending_with_main(struct process_instance *p)
{
    return p->group && !p->gone_told && !reload_holds(p) && tell_remove_group(p);
}

void ending_group(struct process_instance *p)
{
    if (p->gone_told)
        return;
    if (group_empty(p)) {
        group_ended(p);
        return;
    }
    if (p->group_watched)
        return; /* the next change is told */
    if (group_watch_add(p->backend->group_watch, &p->group_wait, p->group, &p->wake, NULL) < 0) {
        progress_look_again(p, WAKE_GROUP);
        return;
    }
    p->group_watched = true;
    p->wake_for = WAKE_GROUP;
    if (group_empty(p)) /* since it was looked at, and before it was watched */
        group_ended(p);
}

void ending_hunt(struct process_instance *p)
{
    struct tree tree = {.marker = p->marker};

    if (tree_kill(&tree, NULL) < 0 || tree_count(&tree, NULL) != 0)
        progress_look_again(p, WAKE_HUNT);
    else if (!reload_holds(p))
        tell_tree_gone(p);
}

/* What a reload command has left was never below the executor. */
void ending_executor(struct process_instance *p)
{
    bool reload_ran;

    if (p->empty && reload_holds(p))
        return;
    instance_lock(p);
    reload_ran = p->reload_ran;
    instance_unlock(p);
    if (p->empty && !reload_ran)
        tell_tree_gone(p);
    else
        ending_hunt(p);
}

void ending_check(struct process_instance *p)
{
    if (p->group)
        ending_group(p);
    else
        ending_executor(p);
}
