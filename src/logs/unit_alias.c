#include "unit_alias.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-path.h>
#include <unistd.h>

#define HOPS 4

/* A link to a file of another name is an alias; one to a file of the same name only says where that
 * is, and /dev/null masks. */
static bool follow_link(const char *folder, const char *unit, char name[static UNIT_NAME_SIZE])
{
    char path[PATH_MAX], target[PATH_MAX];
    const char *base;
    ssize_t n;

    if (snprintf(path, sizeof path, "%s/%s", folder, unit) >= (int)sizeof path)
        return false;
    n = readlink(path, target, sizeof target - 1);
    if (n <= 0)
        return false;
    target[n] = '\0';
    base = strrchr(target, '/');
    base = base ? base + 1 : target;
    if (strcmp(target, "/dev/null") == 0 || strcmp(base, unit) == 0 ||
        strlen(base) >= UNIT_NAME_SIZE)
        return false;
    strcpy(name, base);
    return true;
}

static bool look(char **folders, const char *unit, char name[static UNIT_NAME_SIZE])
{
    for (; *folders; folders++)
        if (follow_link(*folders, unit, name))
            return true;
    return false;
}

static void free_folders(char **folders)
{
    for (char **folder = folders; *folder; folder++)
        free(*folder);
    free(folders);
}

bool unit_alias(const char *unit, enum bus_type bus, char name[static UNIT_NAME_SIZE])
{
    uint64_t which =
        bus == BUS_USER ? SD_PATH_SYSTEMD_SEARCH_USER_UNIT : SD_PATH_SYSTEMD_SEARCH_SYSTEM_UNIT;
    char **folders, at[UNIT_NAME_SIZE];
    int hops = 0;

    if (strlen(unit) >= sizeof at || sd_path_lookup_strv(which, NULL, &folders) < 0)
        return false;
    strcpy(at, unit);
    while (hops < HOPS && look(folders, at, name)) {
        strcpy(at, name);
        hops++;
    }
    free_folders(folders);
    return hops > 0;
}
