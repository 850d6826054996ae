/* scope - finding it, having it made, and letting it go. All that is to be known of it stands in
 * the file system: a daemon that finds it there asks nobody. */
#include "scope.h"

#include "base/cleanup.h"
#include "cgroup.h"
#include "own_place.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#define UNIT_SUFFIX  ".service"
#define SCOPE_SUFFIX "-services.scope"

char *scope_beside(const char *group)
{
    size_t len = strlen(group), suffix = strlen(UNIT_SUFFIX);
    char *scope;

    if (len <= suffix || strcmp(group + len - suffix, UNIT_SUFFIX) != 0)
        return NULL;
    return asprintf(&scope, "%.*s" SCOPE_SUFFIX, (int)(len - suffix), group) < 0 ? NULL : scope;
}

bool scope_lives(const char *scope)
{
    bool populated;

    return group_is_delegated(scope) && cgroup_populated(scope, &populated, NULL) == 0 && populated;
}

struct search {
    const struct own_unit *unit;
    char *scope;
};

/* Beside our unit's group, however deep below it we may be. */
static bool find_beside(const char *own, void *context)
{
    struct search *search = context;
    CLEANUP(freep) char *group = strdup(own);

    for (char *slash; group && (slash = strrchr(group, '/')); *slash = '\0')
        if (strcmp(slash + 1, search->unit->name) == 0) {
            search->scope = scope_beside(group);
            break;
        }
    return search->scope;
}

static char *find_scope(const struct own_unit *unit)
{
    struct search search = {.unit = unit};

    own_place_find(find_beside, &search);
    return search.scope;
}

static int open_scope(const char *scope, const struct own_unit *unit, const char *executor,
                      struct error *err)
{
    CLEANUP(closep) int gate = -1;
    pid_t pid;
    int r;

    if (scope_lives(scope) && keeper_lives(scope))
        return 1;
    r = keeper_start(executor, &pid, &gate, err);
    if (r == 0 && !scope_lives(scope))
        r = scope_make(unit, pid, err);
    if (r == 0 && !group_is_delegated(scope))
        r = error_set(err, -ENOENT, "systemd has made no group %s that is delegated", scope);
    if (r == 0)
        r = keeper_settle(scope, pid, gate, err);
    return r < 0 ? r : 1;
}

int scope_open(const char *executor, struct error *err)
{
    CLEANUP(freep) char *scope = NULL;
    struct own_unit unit;

    if (geteuid() != 0 || !own_unit_find(&unit) || unit.user)
        return 0;
    scope = find_scope(&unit);
    if (!scope)
        return error_set(err, -ENOENT, "the control group of %s is not to be seen", unit.name);
    return open_scope(scope, &unit, executor, err);
}

static bool is_parent(const struct dirent *entry)
{
    return entry->d_type == DT_DIR && strncmp(entry->d_name, PARENT_NAME, strlen(PARENT_NAME)) == 0;
}

/* A folder of services' groups is removed by its daemon when nothing is left in it. */
static bool has_others(const char *scope)
{
    DIR *dir = opendir(scope);
    const struct dirent *entry;
    bool any = false;

    while (dir && !any && (entry = readdir(dir)))
        any = is_parent(entry);
    if (dir)
        closedir(dir);
    return any;
}

void scope_close(void)
{
    CLEANUP(freep) char *scope = NULL;
    struct own_unit unit;

    if (geteuid() != 0 || !own_unit_find(&unit) || unit.user)
        return;
    scope = find_scope(&unit);
    if (scope && keeper_lives(scope) && !has_others(scope))
        keeper_end(scope);
}
