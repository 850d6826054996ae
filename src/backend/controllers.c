#include "controllers.h"

#include "base/cleanup.h"
#include "cgroup.h"
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEMD_RUNS   "/run/systemd/system"
#define LIST_SIZE      1024
#define PASSES_MAX     16 /* of moving what our threads start meanwhile */
#define BOOT_UNIFIED   "boot with systemd.unified_cgroup_hierarchy=1"
#define HAVE_DELEGATED "run in a group that it is delegated to (systemd: Delegate=yes)"

/* The group that parent lies in. NULL without memory. */
static char *above(const char *parent)
{
    const char *slash = strrchr(parent, '/');

    return strndup(parent, (size_t)(slash - parent));
}

static bool is_word_of(const char *list, const char *word, const char *separators)
{
    size_t len = strlen(word);

    while (*list) {
        size_t here = strcspn(list, separators);

        if (here == len && memcmp(list, word, len) == 0)
            return true;
        list += here;
        list += strspn(list, separators);
    }
    return false;
}

static bool lists(const char *group, const char *file, const char *name)
{
    CLEANUP(freep) char *path = NULL;
    char text[LIST_SIZE];

    if (asprintf(&path, "%s/%s", group, file) < 0) {
        path = NULL;
        return false;
    }
    return small_read(path, text, sizeof text) > 0 && is_word_of(text, name, " \n");
}

static bool is_enabled(const char *group, const char *name)
{
    return lists(group, "cgroup.subtree_control", name);
}

/* /proc/self/cgroup has a line "4:memory:/path" for each hierarchy of version 1. */
static bool on_version_1(const char *name)
{
    CLEANUP(fclosep) FILE *f = fopen("/proc/self/cgroup", "re");
    CLEANUP(freep) char *line = NULL;
    size_t capacity = 0;

    while (f && getline(&line, &capacity, f) > 0) {
        char *names = strchr(line, ':');
        char *end = names ? strchr(names + 1, ':') : NULL;

        if (!end)
            continue;
        *end = '\0';
        if (is_word_of(names + 1, name, ","))
            return true;
    }
    return false;
}

/* The one group of the machine that may hold processes and divide its resources: it has no events,
 * for it can't be empty. */
static bool is_root(const char *group)
{
    CLEANUP(freep) char *path = NULL;

    if (asprintf(&path, "%s/cgroup.events", group) < 0) {
        path = NULL;
        return false;
    }
    return access(path, F_OK) < 0 && errno == ENOENT;
}

/* ---- who is in a group ---- */

enum holders { HOLDS_NOBODY, HOLDS_US, HOLDS_OTHERS };

/* Our children in our own group are executors that are about to join theirs. */
static bool is_ours(pid_t pid)
{
    struct process_stat st;

    return pid == getpid() || (pid > 0 && process_stat(pid, &st) == 0 && st.parent == getpid());
}

static int write_text(const char *group, const char *file, const char *text)
{
    CLEANUP(freep) char *path = NULL;
    CLEANUP(closep) int fd = -1;

    if (asprintf(&path, "%s/%s", group, file) < 0) {
        path = NULL;
        return -ENOMEM;
    }
    fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* What is ours of it is moved on the way; to: NULL, nothing is. */
static enum holders holders_of(const char *group, const char *to)
{
    CLEANUP(freep) char *path = NULL;
    CLEANUP(fclosep) FILE *members = NULL;
    enum holders holders = HOLDS_NOBODY;
    int pid;

    if (asprintf(&path, "%s/cgroup.procs", group) < 0) {
        path = NULL;
        return HOLDS_OTHERS;
    }
    members = fopen(path, "re");
    while (members && fscanf(members, "%d", &pid) == 1) {
        char text[16];

        if (!is_ours(pid))
            return HOLDS_OTHERS;
        holders = HOLDS_US;
        snprintf(text, sizeof text, "%d", pid);
        if (to)
            write_text(to, "cgroup.procs", text);
    }
    return members ? holders : HOLDS_OTHERS;
}

/* ---- what is missing ---- */

static int not_there(const char *group, const char *name, struct error *err)
{
    if (on_version_1(name))
        return error_set(err, -ENOTSUP,
                         "the controller \"%s\" is mounted as cgroup version 1, so it is not "
                         "available at %s: " BOOT_UNIFIED,
                         name, group);
    if (is_root(group))
        return error_set(err, -ENOTSUP, "the kernel has no controller \"%s\" for %s", name, group);
    return error_set(err, -ENOTSUP, "the controller \"%s\" is not available at %s: " HAVE_DELEGATED,
                     name, group);
}

/* systemd starts a service in its unit's own group, which the kernel refuses once controllers have
 * been enabled there: with services left running, the next start of the daemon would fail. */
static bool starts_would_fail(const char *group)
{
    size_t len = strlen(group), suffix = strlen(".service");

    return access(SYSTEMD_RUNS, F_OK) == 0 && len > suffix &&
           strcmp(group + len - suffix, ".service") == 0;
}

static int check_group(const char *group, const char *name, struct error *err)
{
    enum holders holders;

    if (!lists(group, "cgroup.controllers", name))
        return not_there(group, name, err);
    if (is_enabled(group, name) || is_root(group))
        return 0;
    holders = holders_of(group, NULL);
    if (holders == HOLDS_OTHERS)
        return error_set(err, -EBUSY,
                         "the controller \"%s\" cannot be enabled at %s, which holds other "
                         "processes too: start the daemon in a group of its own",
                         name, group);
    if (holders == HOLDS_US && starts_would_fail(group))
        return error_set(err, -EBUSY,
                         "the controller \"%s\" cannot be enabled at %s, or systemd could not "
                         "start the unit again: set DelegateSubgroup= or use a scope",
                         name, group);
    return 0;
}

int controller_check(const char *parent, const char *name, struct error *err)
{
    CLEANUP(freep) char *group = above(parent);

    if (!group)
        return error_set(err, -ENOMEM, "look for the controller \"%s\": %m", name);
    return is_enabled(parent, name) ? 0 : check_group(group, name, err);
}

/* ---- enabling ---- */

/* First of all: some controllers (cpu, pids) can be enabled above processes, but then only threads
 * can be divided among the groups below. */
static int move_aside(const char *group, const char *parent)
{
    CLEANUP(freep) char *to = NULL;

    if (holders_of(group, NULL) == HOLDS_NOBODY)
        return 0;
    if (asprintf(&to, "%s" DAEMON_GROUP_SUFFIX, parent) < 0) {
        to = NULL;
        return -ENOMEM;
    }
    if (mkdir(to, 0755) < 0 && errno != EEXIST)
        return -errno;
    for (int pass = 0; pass < PASSES_MAX; pass++)
        if (holders_of(group, to) == HOLDS_NOBODY)
            return 0;
    return -EBUSY;
}

static int enable_in(const char *group, const char *name)
{
    char text[64];

    snprintf(text, sizeof text, "+%s", name);
    return is_enabled(group, name) ? 0 : write_text(group, "cgroup.subtree_control", text);
}

int controller_enable(const char *parent, const char *name, struct error *err)
{
    CLEANUP(freep) char *group = above(parent);
    int r = controller_check(parent, name, err);

    if (r < 0 || is_enabled(parent, name))
        return r;
    r = is_root(group) ? 0 : move_aside(group, parent);
    if (r == 0)
        r = enable_in(group, name);
    if (r < 0)
        return error_set(err, r, "enable the controller \"%s\" at %s: %m", name, group);
    r = enable_in(parent, name);
    return r < 0 ? error_set(err, r, "enable the controller \"%s\" at %s: %m", name, parent) : 0;
}

static void disable_all(const char *group)
{
    CLEANUP(freep) char *path = NULL;
    char list[LIST_SIZE], text[64], *rest = NULL;

    if (asprintf(&path, "%s/cgroup.subtree_control", group) < 0) {
        path = NULL;
        return;
    }
    if (small_read(path, list, sizeof list) <= 0)
        return;
    for (char *name = strtok_r(list, " \n", &rest); name; name = strtok_r(NULL, " \n", &rest)) {
        snprintf(text, sizeof text, "-%s", name);
        write_text(group, "cgroup.subtree_control", text);
    }
}

void controllers_leave(const char *parent)
{
    CLEANUP(freep) char *group = above(parent);
    CLEANUP(freep) char *from = NULL;

    if (asprintf(&from, "%s" DAEMON_GROUP_SUFFIX, parent) < 0) {
        from = NULL;
        return;
    }
    if (!group || holders_of(from, NULL) != HOLDS_US)
        return;
    disable_all(group); /* there were none while we sat in it */
    holders_of(from, group);
    rmdir(from);
}
