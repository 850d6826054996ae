#include "limits.h"

#include "base/cleanup.h"
#include "controllers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CPU_PERIOD_US 100000 /* the kernel's own */

static const struct {
    const char *key, *controller, *file;
} kinds[LIMITS] = {
    [LIMIT_MEMORY] = {"memory", "memory", "memory.max"},
    [LIMIT_CPU] = {"cpu", "cpu", "cpu.max"},
    [LIMIT_TASKS] = {"tasks", "pids", "pids.max"},
};

static int64_t value_of(const struct service_spec *spec, enum limit limit)
{
    switch (limit) {
    case LIMIT_MEMORY: return spec->memory;
    case LIMIT_CPU: return spec->cpu_milli;
    case LIMIT_TASKS: return spec->tasks;
    case LIMITS: break;
    }
    return -1;
}

bool limits_possible(const char *parent, enum limit limit)
{
    return controller_check(parent, kinds[limit].controller, NULL) == 0;
}

int limits_prepare(const char *parent, const char *reason, const struct service_spec *spec,
                   struct error *err)
{
    for (enum limit i = 0; i < LIMITS; i++) {
        int r;

        if (value_of(spec, i) < 0)
            continue;
        if (!parent)
            return error_set(err, -ENOTSUP,
                             "%s: services have no control group here, for %s; run where cgroup "
                             "version 2 may be divided (systemd: Delegate=yes)",
                             kinds[i].key, reason);
        r = controller_enable(parent, kinds[i].controller, err);
        if (r < 0) {
            error_prefix(err, "%s", kinds[i].key);
            return r;
        }
    }
    return 0;
}

static int write_file(const char *group, const char *file, const char *text, struct error *err)
{
    CLEANUP(freep) char *path = NULL;
    CLEANUP(closep) int fd = -1;

    if (asprintf(&path, "%s/%s", group, file) < 0) {
        path = NULL;
        return error_set(err, -ENOMEM, "write %s: %m", file);
    }
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return error_set(err, -errno, "write %s to %s: %m", text, path);
    return 0;
}

/* Half a service is none: what goes beyond its memory goes as a whole. Before Linux 4.19 the kernel
 * picks one process of it. */
static int end_whole(const char *group, struct error *err)
{
    int r = write_file(group, "memory.oom.group", "1", err);

    return r == -ENOENT ? 0 : r;
}

int limits_write(const char *group, const struct service_spec *spec, struct error *err)
{
    for (enum limit i = 0; i < LIMITS; i++) {
        int64_t value = value_of(spec, i);
        char text[64];
        int r;

        if (value < 0)
            continue;
        if (i == LIMIT_CPU)
            snprintf(text, sizeof text, "%" PRId64 " %d", value * (CPU_PERIOD_US / 1000),
                     CPU_PERIOD_US);
        else
            snprintf(text, sizeof text, "%" PRId64, value);
        r = write_file(group, kinds[i].file, text, err);
        if (r < 0)
            return r;
    }
    return spec->memory >= 0 ? end_whole(group, err) : 0;
}
