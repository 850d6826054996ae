#include "unit_program.h"

#include "identity.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Until it executes the program, systemd's child is called as systemd is, or as the executor of
 * newer ones, and then "(program)". */
static bool is_systemds(const char *name)
{
    return name[0] == '(' || strcmp(name, "systemd\n") == 0 ||
           strcmp(name, "systemd-executo\n") == 0;
}

enum unit_program unit_program_of(pid_t pid)
{
    char path[32], name[32];
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    n = small_read(path, name, sizeof name);
    if (n == -ENOENT || n == -ESRCH || n == 0)
        return IS_GONE;
    return n > 0 && is_systemds(name) ? IS_SYSTEMD : IS_PROGRAM;
}
