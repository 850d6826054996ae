/* cgroup_parent - finds out whether groups may be made here, by doing it. The hierarchy may be
 * mounted anywhere, twice, or with a container's own root; below a systemd only what was delegated
 * to us is ours to divide. */
#include "base/cleanup.h"
#include "base/sys.h"
#include "cgroup.h"
#include "controllers.h"
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define PARENT_NAME "orderly-"

/* /proc/self/cgroup has our place in the unified hierarchy as a line "0::/path". */
static bool own_place(char *place, size_t size)
{
    CLEANUP(fclosep) FILE *f = fopen("/proc/self/cgroup", "re");
    CLEANUP(freep) char *line = NULL;
    size_t capacity = 0;

    while (f && getline(&line, &capacity, f) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::/", 4) == 0 && strlen(line + 3) < size) {
            strcpy(place, line + 3);
            return true;
        }
    }
    return false;
}

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape(char *s)
{
    char *to = s;

    for (; *s; s++, to++) {
        unsigned code;

        if (s[0] == '\\' && sscanf(s + 1, "%3o", &code) == 1) {
            *to = (char)code;
            s += 3;
        } else {
            *to = *s;
        }
    }
    *to = '\0';
}

/* The path of our own group by that mount; NULL: it can't be seen there. */
static char *group_by_mount(const char *root, const char *point, const char *place)
{
    size_t skip = strcmp(root, "/") == 0 ? 0 : strlen(root);
    char *path;

    if (strncmp(place, root, skip) != 0 || (skip && place[skip] != '/' && place[skip] != '\0'))
        return NULL;
    place += skip;
    if (strcmp(place, "/") == 0)
        place = "";
    return strstr(place, "/..") || asprintf(&path, "%s%s", point, place) < 0 ? NULL : path;
}

/* A line of mountinfo: "31 23 0:28 ROOT POINT options ... - TYPE source options". */
static char *group_of_line(char *line, const char *place)
{
    char root[1024], point[1024];
    const char *type = strstr(line, " - ");

    if (!type || strncmp(type, " - cgroup2 ", 11) != 0 ||
        sscanf(line, "%*d %*d %*s %1023s %1023s", root, point) != 2)
        return NULL;
    unescape(root);
    unescape(point);
    return group_by_mount(root, point, place);
}

static bool is_marked_delegated(const char *group)
{
    static const char *const names[] = {"trusted.delegate", "user.delegate"};
    char value;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (getxattr(group, names[i], &value, 1) == 1 && value == '1')
            return true;
    return false;
}

static bool delegated(const char *group)
{
    struct stat st;

    if (stat("/run/systemd/system", &st) < 0)
        return true; /* nobody above who would mind */
    return is_marked_delegated(group);
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
    if (!leaf && !(ends_with(group, ".service") && is_marked_delegated(group)))
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

char *cgroup_find_parent(const char *runtime_dir, const char **ret_reason)
{
    CLEANUP(fclosep) FILE *f = fopen("/proc/self/mountinfo", "re");
    CLEANUP(freep) char *line = NULL;
    char place[1024];
    size_t capacity = 0;
    char *parent = NULL;

    *ret_reason = "cgroup version 2 is not mounted";
    if (!f || !own_place(place, sizeof place))
        return NULL;
    while (!parent && getline(&line, &capacity, f) > 0) {
        CLEANUP(freep) char *group = group_of_line(line, place);

        if (!group)
            continue;
        leave_own_leaf(group);
        parent = parent_in(group, runtime_dir, ret_reason);
    }
    return parent;
}
