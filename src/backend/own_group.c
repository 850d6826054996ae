#include "own_group.h"

#include "base/cleanup.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>
#include <unistd.h>

void own_unit(enum bus_type bus, char name[static UNIT_NAME_SIZE])
{
    char *found = NULL;
    int r = bus == BUS_USER ? sd_pid_get_user_unit(0, &found) : sd_pid_get_unit(0, &found);

    name[0] = '\0';
    if (r >= 0 && strlen(found) < UNIT_NAME_SIZE)
        strcpy(name, found);
    free(found);
}

/* Our own group in the unified hierarchy; "" when there is none. */
static void own_group(char *group, size_t size)
{
    CLEANUP(fclosep) FILE *f = fopen("/proc/self/cgroup", "re");
    CLEANUP(freep) char *line = NULL;
    size_t capacity = 0;

    group[0] = '\0';
    while (f && getline(&line, &capacity, f) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::/", 4) == 0 && strlen(line + 3) < size)
            strcpy(group, line + 3);
    }
}

/* It may be mounted in several places, with other roots: ours is where we find ourselves. */
static bool shows(const char *mount, const char *group)
{
    CLEANUP(freep) char *path = NULL;

    if (asprintf(&path, "%s%s/cgroup.procs", mount, group) < 0) {
        path = NULL;
        return false;
    }
    return access(path, F_OK) == 0;
}

int cgroup_mount_point(char **ret_path)
{
    FILE *f = setmntent("/proc/self/mounts", "re");
    char buffer[4096], group[2048];
    struct mntent entry;
    char *path = NULL;
    int r = 0;

    own_group(group, sizeof group);
    while (f && !path && r == 0 && getmntent_r(f, &entry, buffer, sizeof buffer))
        if (strcmp(entry.mnt_type, "cgroup2") == 0 && shows(entry.mnt_dir, group)) {
            path = strdup(entry.mnt_dir);
            r = path ? 0 : -ENOMEM;
        }
    if (f)
        endmntent(f);
    *ret_path = path;
    return r;
}
