/* peer - who is at the other end of a Unix socket, as the kernel knows it.
 * Threads: any. */
#pragma once

#include "base/error.h"
#include "model/identity.h"

#include <sys/types.h>

#define NO_GROUP ((gid_t)-1)

/* Root, whoever the daemon runs as, and members of group (NO_GROUP: none) may come in, as admin;
 * anybody else gets ROLE_NONE. The name is set for all of them. -errno: the kernel does not say. */
int peer_identify(int fd, gid_t group, struct identity *ret_identity, struct error *err);
/* "127.0.0.1:4711" or "uid:1000", for the log. */
void peer_describe(int fd, char text[static 64]);
