/* instance_file - the file behind instances.h: a header of parent folders, then blocks of slots,
 * each allocated before it is mapped, so that no write to it can ever fail.
 * Threads: any; its one lock guards all but the opening and the freeing.
 * Ownership: instances.c reserves slots in it, parents.c keeps the header. */
#pragma once

#include "base/lock.h"
#include "instances.h"
#include "slot.h"

#define BLOCK_SLOTS 64
#define PARENTS     8
#define BLOCKS_MAX  4096

extern struct lock_class instances_lock_class; /* for the compiler only */

struct parent {
    uint64_t checksum; /* of path */
    char path[PARENT_PATH_SIZE];
};

struct header {
    uint64_t magic;
    struct parent parents[PARENTS];
};

/* What is remembered of a slot, so that looking for one does not touch the file. */
struct place {
    uint64_t name; /* hash of the service it belongs to; 0: nobody's */
    bool open, taken;
};

struct instances {
    struct lock lock;
    int fd;
    char *path;
    struct header *header;
    struct slot *blocks[BLOCKS_MAX] GUARDED_BY(instances_lock_class);
    struct place *places GUARDED_BY(instances_lock_class);
    size_t count GUARDED_BY(instances_lock_class); /* slots */
};

static inline void instances_lock(struct instances *f)
    ACQUIRE(instances_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&f->lock);
}

static inline void instances_unlock(struct instances *f)
    RELEASE(instances_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&f->lock);
}

/* One block more, at its end: 0 or -errno. */
int instance_file_grow(struct instances *f) REQUIRES(instances_lock_class);

/* False: the slot holds no open record. */
bool instance_file_read(struct instances *f, size_t slot, struct instance_data *ret_data)
    REQUIRES(instances_lock_class);
void instance_file_write(struct instances *f, size_t slot, const struct instance_data *data,
                         bool open) REQUIRES(instances_lock_class);
/* Open or not; NULL: it has never held one. */
const struct copy *instance_file_look(struct instances *f, size_t slot)
    REQUIRES(instances_lock_class);
