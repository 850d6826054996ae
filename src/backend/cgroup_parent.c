/* cgroup_parent - finds out whether groups may be made here, by doing it. The hierarchy may be
 * mounted anywhere, twice, or with a container's own root; below a systemd only what was delegated
 * to us is ours to divide: the scope beside our unit, or our own group. */
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/sys.h"
#include "cgroup.h"
#include "controllers.h"
#include "identity.h"
#include "own_place.h"
#include "scope.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool delegated(const char *group)
{
    struct stat st;

    if (stat("/run/systemd/system", &st) < 0)
        return true; /* nobody above who would mind */
    return group_is_delegated(group);
}

static bool ends_with(const char *string, const char *end)
{
    size_t len = strlen(string), size = strlen(end);

    return len >= size && strcmp(string + len - size, end) == 0;
}

/* The group to divide: ours, or the one above if ours was only made to keep that one free of
 * processes, by us (controllers.h) or by systemd (DelegateSubgroup=). */
static void leave_own_leaf(char *group)
{
    char *slash = strrchr(group, '/');
    bool leaf;

    if (!slash || slash == group)
        return;
    leaf = strncmp(slash, "/" PARENT_NAME, strlen("/" PARENT_NAME)) == 0 &&
           ends_with(slash, DAEMON_GROUP_SUFFIX);
    *slash = '\0';
    if (!leaf && !(ends_with(group, ".service") && group_is_delegated(group)))
        *slash = '/';
}

/* To move a process takes leave to write both groups' lists. */
static bool may_join(const char *group)
{
    CLEANUP(freep) char *list = NULL;

    if (asprintf(&list, "%s/cgroup.procs", group) < 0) {
        list = NULL;
        return false;
    }
    return faccessat(AT_FDCWD, list, W_OK, AT_EACCESS) == 0;
}

static bool may_divide(const char *group, const char *parent)
{
    CLEANUP(freep) char *trial = NULL;
    CLEANUP(closep) int fd = -1;
    bool populated, works;

    if ((mkdir(parent, 0755) < 0 && errno != EEXIST) || asprintf(&trial, "%s/.trial", parent) < 0) {
        trial = NULL;
        return false;
    }
    fd = cgroup_make(trial, NULL);
    works = fd >= 0 && may_join(group) && may_join(trial) &&
            cgroup_populated(trial, &populated, NULL) == 0;
    rmdir(trial);
    if (!works)
        rmdir(parent);
    return works;
}

static char *parent_in(const char *group, const char *runtime_dir, const char **ret_reason)
{
    CLEANUP(freep) char *parent = NULL;

    if (!delegated(group)) {
        *ret_reason = "this group has not been delegated to us by systemd";
        return NULL;
    }
    if (asprintf(&parent, "%s/" PARENT_NAME "%08" PRIx32, group,
                 (uint32_t)hash_text(HASH_SEED, runtime_dir)) < 0) {
        parent = NULL;
        *ret_reason = "out of memory";
        return NULL;
    }
    if (may_divide(group, parent))
        return take(parent);
    *ret_reason = "no group can be made and joined here";
    return NULL;
}

/* What is looked for below each path of our own group. */
struct search {
    const char *runtime_dir, *reason;
    char *parent;
};

/* The scope beside our unit, where there is one (scope.h), before the unit's own group. */
static bool find_parent(const char *own, void *context)
{
    struct search *search = context;
    CLEANUP(freep) char *group = strdup(own);
    CLEANUP(freep) char *scope = NULL;

    if (!group) {
        search->reason = "out of memory";
        return false;
    }
    leave_own_leaf(group);
    scope = scope_beside(group);
    if (scope && scope_lives(scope))
        search->parent = parent_in(scope, search->runtime_dir, &search->reason);
    if (!search->parent)
        search->parent = parent_in(group, search->runtime_dir, &search->reason);
    return search->parent;
}

char *cgroup_find_parent(const char *runtime_dir, const char **ret_reason)
{
    struct search search = {runtime_dir, "cgroup version 2 is not mounted", NULL};

    own_place_find(find_parent, &search);
    *ret_reason = search.reason;
    return search.parent;
}
