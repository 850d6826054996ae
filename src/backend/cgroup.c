#include "cgroup.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/sys.h"
#include "identity.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX   16
#define ENDING_WAIT (2 * USEC_PER_SEC)

static void closedirp(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

int cgroup_make(const char *path, struct error *err)
{
    bool populated = false;
    int fd, made = FAULTS(group_make) ? -1 : mkdir(path, 0755);

    if (made < 0 && errno != EEXIST)
        return error_set(err, -errno, "make group %s: %m", path);
    if (made < 0 && (cgroup_populated(path, &populated, err) < 0 || populated))
        return error_set(err, -EBUSY,
                         "group %s still holds processes of an instance that nobody "
                         "knows of: end them first",
                         path);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? error_set(err, -errno, "open group %s: %m", path) : fd;
}

int cgroup_populated(const char *path, bool *ret_populated, struct error *err)
{
    CLEANUP(freep) char *file = NULL;
    char text[256];
    ssize_t n;

    if (asprintf(&file, "%s/cgroup.events", path) < 0) {
        file = NULL;
        return error_set(err, -ENOMEM, "look at group %s: %m", path);
    }
    n = FAULT(group_read) ?: small_read(file, text, sizeof text);
    if (n < 0 && n != -ENOENT && n != -ENODEV)
        return error_set(err, (int)n, "read %s: %m", file);
    *ret_populated = n > 0 && strstr(text, "populated 1");
    return 0;
}

/* What is done with each group, and what it is told. */
struct walk {
    int (*visit)(const char *path, struct walk *walk);
    cgroup_process_visitor *process;
    void *context;
    int depth;
};

/* Visits every group right below. */
static int walk_below(const char *path, struct walk *walk)
{
    CLEANUP(closedirp) DIR *dir = opendir(path);
    const struct dirent *entry;
    int r, result = 0;

    if (!dir)
        return errno == ENOENT ? 0 : -errno;
    if (walk->depth == DEPTH_MAX)
        return -ELOOP;
    walk->depth++;
    while ((entry = readdir(dir))) {
        CLEANUP(freep) char *below = NULL;

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        if (asprintf(&below, "%s/%s", path, entry->d_name) < 0) {
            below = NULL;
            result = -ENOMEM;
            break;
        }
        r = walk->visit(below, walk);
        if (r < 0 && result == 0)
            result = r;
    }
    walk->depth--;
    return result;
}

static int each_member(const char *path, struct walk *walk)
{
    CLEANUP(freep) char *file = NULL;
    CLEANUP(fclosep) FILE *members = NULL;
    int pid;

    if (asprintf(&file, "%s/cgroup.procs", path) < 0) {
        file = NULL;
        return -ENOMEM;
    }
    members = fopen(file, "re");
    if (!members)
        return errno == ENOENT || errno == ENODEV ? 0 : -errno;
    while (fscanf(members, "%d", &pid) == 1)
        if (pid > 0) /* 0: of another pid namespace */
            walk->process(pid, walk->context);
    return 0;
}

static int each_process(const char *path, struct walk *walk)
{
    int r = each_member(path, walk), below = walk_below(path, walk);

    return r < 0 ? r : below;
}

int cgroup_for_each_process(const char *path, cgroup_process_visitor *visit, void *context)
{
    struct walk walk = {.visit = each_process, .process = visit, .context = context};

    return each_process(path, &walk);
}

static void signal_process(pid_t pid, void *context)
{
    CLEANUP(closep) int fd = sys_pidfd_open(pid);

    if (fd >= 0)
        sys_pidfd_send_signal(fd, *(const int *)context);
}

int cgroup_signal(const char *path, int signal, struct error *err)
{
    int r = cgroup_for_each_process(path, signal_process, &signal);

    return r < 0 ? error_set(err, r, "signal the processes of group %s: %m", path) : 0;
}

int cgroup_kill(const char *path, struct error *err)
{
    CLEANUP(freep) char *file = NULL;
    CLEANUP(closep) int fd = -1;

    if (asprintf(&file, "%s/cgroup.kill", path) < 0) {
        file = NULL;
        return error_set(err, -ENOMEM, "kill group %s: %m", path);
    }
    fd = FAULTS(group_kill) ? -1 : open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return cgroup_signal(path, SIGKILL, err); /* before Linux 5.14; or the group has gone */
    /* Both mean that it has been removed since: it was empty. */
    if (fd < 0 || (write(fd, "1", 1) < 0 && errno != ENOENT && errno != ENODEV))
        return error_set(err, -errno, "write %s: %m", file);
    return 0;
}

static int remove_all(const char *path, struct walk *walk)
{
    if (rmdir(path) == 0 || errno == ENOENT)
        return 0;
    if (walk_below(path, walk) < 0)
        return -EBUSY;
    return rmdir(path) == 0 || errno == ENOENT ? 0 : -errno;
}

int cgroup_remove(const char *path)
{
    struct walk walk = {.visit = remove_all};

    return remove_all(path, &walk);
}

/* Whether it is empty by until; each change of its events wakes. */
static bool empties(const char *path, int64_t until)
{
    CLEANUP(freep) char *file = NULL;
    CLEANUP(closep) int fd = -1;
    struct pollfd changed = {.events = POLLPRI};
    char text[256];
    ssize_t n = -1;
    int64_t now;

    if (asprintf(&file, "%s/cgroup.events", path) < 0)
        file = NULL;
    else
        changed.fd = fd = open(file, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (n = pread(fd, text, sizeof text - 1, 0)) > 0) {
        text[n] = '\0';
        now = clock_mono_us();
        if (!strstr(text, "populated 1"))
            return true;
        if (now >= until)
            return false;
        poll(&changed, 1, (int)((until - now) / USEC_PER_MSEC) + 1);
    }
    return false;
}

void cgroup_clean(const char *parent, bool (*named)(void *context, const char *name), void *context)
{
    CLEANUP(closedirp) DIR *dir = opendir(parent);
    const struct dirent *entry;
    int64_t until = clock_mono_us() + ENDING_WAIT;

    while (dir && (entry = readdir(dir))) {
        CLEANUP(freep) char *path = NULL;

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || named(context, entry->d_name))
            continue;
        if (asprintf(&path, "%s/%s", parent, entry->d_name) < 0) {
            path = NULL;
            return;
        }
        if (empties(path, until))
            cgroup_remove(path);
    }
}
