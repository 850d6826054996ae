/* own_group - where systemd has put us, and where its control groups are in the file system.
 * Threads: any. */
#pragma once

#include "unit_props.h"

#include "model/names.h"

/* The unit that we run in, of that manager's; "" when there is none. */
void own_unit(enum bus_type bus, char name[static UNIT_NAME_SIZE]);

/* Where cgroup version 2 is mounted: NULL when it is not. The caller frees. 0 or -ENOMEM. */
int cgroup_mount_point(char **ret_path);
