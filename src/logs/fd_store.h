/* fd_store - under a service manager that keeps descriptors for us (systemd's
 * FileDescriptorStoreMax=) it is given each FIFO's: so what a service has written is not lost when
 * it ends while no daemon is there. The FIFO itself is opened by its path every time; what comes
 * back from the manager is only looked at, to know what it holds.
 * Threads: any; one of its own talks to the manager, which may be busy, and exists once there is
 * something to give. Its lock is a leaf. Ownership: the logs'. NULL stands for nobody who keeps. */
#pragma once

#include "state.h"

struct fd_store;

/* Takes over what the manager passes to this process, which it does once. *ret_store: NULL when
 * there is none. 0 or -errno. */
int fd_store_open(struct fd_store **ret_store);
void fd_store_close(struct fd_store *store);

/* The channel must not be freed before fd_store_close(). */
void fd_store_keep(struct fd_store *store, struct channel *ch) EXCLUDES(fd_store_lock_class);
/* What was passed and belongs to no channel by now is given up, there and here. */
void fd_store_forget(struct fd_store *store) EXCLUDES(fd_store_lock_class);
