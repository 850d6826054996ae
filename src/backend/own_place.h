/* own_place - the control group of version 2 that we are in, by its path in the file system.
 * Threads: any. Ownership: nothing is kept. */
#pragma once

#include <stdbool.h>

/* The hierarchy may be mounted anywhere, twice, or with a container's own root: each path by which
 * our group can be seen is shown, until one fits. False: none did, or there is none. */
typedef bool own_place_fits(const char *group, void *context);
bool own_place_find(own_place_fits *fits, void *context);

/* Whether systemd has given that group to those in it to divide. */
bool group_is_delegated(const char *group);
