#include "instances.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "identity.h"
#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define FILE_MAGIC  UINT64_C(0x31736e6979647264) /* of this layout */
#define COPY_SIZE   256
#define BLOCK_SLOTS 64
#define SPARE_SLOTS 16
#define PARENTS     8
#define HEADER_SIZE 4096
#define BLOCK_SIZE  (BLOCK_SLOTS * sizeof(struct slot))
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

_Static_assert(sizeof(struct header) <= HEADER_SIZE, "the header is one page");
_Static_assert(BLOCK_SIZE % 4096 == 0, "blocks are mapped one by one");

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

static void instances_lock(struct instances *f) ACQUIRE(instances_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&f->lock);
}

static void instances_unlock(struct instances *f)
    RELEASE(instances_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&f->lock);
}

static struct slot *slot_at(struct instances *f, size_t slot) REQUIRES(instances_lock_class)
{
    return &f->blocks[slot / BLOCK_SLOTS][slot % BLOCK_SLOTS];
}

static void write_slot(struct instances *f, size_t slot, const struct instance_data *data,
                       bool open) REQUIRES(instances_lock_class)
{
    slot_write(slot_at(f, slot), data, open);
    f->places[slot].open = open;
}

/* ---- the file ---- */

static int map_block(struct instances *f) REQUIRES(instances_lock_class)
{
    size_t block = f->count / BLOCK_SLOTS;
    off_t at = (off_t)(HEADER_SIZE + block * BLOCK_SIZE);
    struct place *grown;
    void *data;
    int r;

    if (block == BLOCKS_MAX)
        return -ENOSPC;
    grown = realloc(f->places, (f->count + BLOCK_SLOTS) * sizeof *grown);
    if (!grown)
        return -ENOMEM;
    f->places = grown;
    r = posix_fallocate(f->fd, at, (off_t)BLOCK_SIZE);
    if (r != 0)
        return -r;
    data = mmap(NULL, BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, at);
    if (data == MAP_FAILED)
        return -errno;
    f->blocks[block] = data;
    for (size_t i = 0; i < BLOCK_SLOTS; i++) {
        const struct copy *copy = slot_current(&f->blocks[block][i]);

        f->places[f->count++] = (struct place){
            .name = copy ? hash_text(HASH_SEED, copy->data.service) : 0,
            .open = copy && copy->open,
        };
    }
    return 0;
}

static int map_header(struct instances *f, struct error *err)
{
    void *data;
    int r = posix_fallocate(f->fd, 0, HEADER_SIZE);

    if (r != 0)
        return error_set(err, -r, "allocate %s: %m", f->path);
    data = mmap(NULL, HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    if (data == MAP_FAILED)
        return error_set(err, -errno, "map %s: %m", f->path);
    f->header = data;
    f->header->magic = FILE_MAGIC; /* what is not ours fails its checksum */
    return 0;
}

static int open_file(struct instances *f, const char *runtime_dir, off_t *ret_size,
                     struct error *err)
{
    struct stat st;

    if (asprintf(&f->path, "%s/instances", runtime_dir) < 0) {
        f->path = NULL;
        return error_set(err, -ENOMEM, "open the instance file: %m");
    }
    f->fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f->fd < 0)
        return error_set(err, -errno, "open %s: %m", f->path);
    if (fstat(f->fd, &st) < 0)
        return error_set(err, -errno, "look at %s: %m", f->path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, -EINVAL, "%s is not a regular file", f->path);
    *ret_size = st.st_size;
    return map_header(f, err);
}

static int map_all(struct instances *f, off_t size, struct error *err)
{
    size_t blocks = size > HEADER_SIZE ? ((size_t)size - HEADER_SIZE) / BLOCK_SIZE : 0;
    int r = 0;

    instances_lock(f);
    do
        r = map_block(f);
    while (r == 0 && f->count / BLOCK_SLOTS < blocks);
    instances_unlock(f);
    return r < 0 ? error_set(err, r, "allocate %s: %m", f->path) : 0;
}

int instances_open(const char *runtime_dir, struct instances **ret_instances, struct error *err)
{
    struct instances *f = calloc(1, sizeof *f);
    off_t size = 0;
    int r;

    if (!f)
        return error_set(err, -ENOMEM, "open the instance file: %m");
    f->fd = -1;
    lock_init(&f->lock);
    r = open_file(f, runtime_dir, &size, err);
    if (r == 0)
        r = map_all(f, size, err);
    if (r < 0) {
        instances_free(f);
        return r;
    }
    *ret_instances = f;
    return 0;
}

void instances_free(struct instances *f) NO_THREAD_SAFETY_CHECK /* nobody else is left */
{
    if (!f)
        return;
    for (size_t i = 0; i < f->count / BLOCK_SLOTS; i++)
        munmap(f->blocks[i], BLOCK_SIZE);
    if (f->header)
        munmap(f->header, HEADER_SIZE);
    if (f->fd >= 0)
        close(f->fd);
    free(f->places);
    free(f->path);
    lock_deinit(&f->lock);
    free(f);
}

/* ---- slots ---- */

/* The service's own; else nobody's; else, only if none can be made, one whose owner has none open
 * now. Counts nobody's slots, so that there are always some to spare. */
static size_t find_slot(struct instances *f, uint64_t name, size_t *ret_spare)
    REQUIRES(instances_lock_class)
{
    size_t spare = 0, fresh = SIZE_MAX;

    for (size_t i = 0; i < f->count; i++) {
        const struct place *p = &f->places[i];

        if (p->taken || p->open)
            continue;
        if (p->name == name)
            return i;
        if (p->name != 0)
            continue;
        if (spare++ == 0)
            fresh = i;
    }
    *ret_spare = spare;
    return fresh;
}

static size_t any_closed(struct instances *f) REQUIRES(instances_lock_class)
{
    for (size_t i = 0; i < f->count; i++)
        if (!f->places[i].taken && !f->places[i].open)
            return i;
    return SIZE_MAX;
}

int instances_reserve(struct instances *f, const char *service, size_t *ret_slot, struct error *err)
{
    uint64_t name = hash_text(HASH_SEED, service);
    size_t slot, spare = SPARE_SLOTS;
    int r = 0;

    instances_lock(f);
    slot = find_slot(f, name, &spare);
    if (spare < SPARE_SLOTS) { /* ahead of need: it may fail now without any harm */
        r = map_block(f);
        if (slot == SIZE_MAX)
            slot = any_closed(f);
    }
    if (slot != SIZE_MAX) {
        f->places[slot].taken = true;
        f->places[slot].name = name;
    }
    instances_unlock(f);
    if (slot == SIZE_MAX)
        return error_set(err, r < 0 ? r : -ENOSPC, "grow %s: %m", f->path);
    *ret_slot = slot;
    return 0;
}

static bool is_record_of(struct instances *f, size_t slot, const char *service, int64_t generation,
                         struct instance_data *ret_data) REQUIRES(instances_lock_class)
{
    const struct copy *copy = slot_current(slot_at(f, slot));

    if (!copy || copy->data.generation != generation || strcmp(copy->data.service, service) != 0)
        return false;
    *ret_data = copy->data;
    return true;
}

static size_t find_record(struct instances *f, const char *service, int64_t generation,
                          struct instance_data *ret_data) REQUIRES(instances_lock_class)
{
    uint64_t name = hash_text(HASH_SEED, service);

    for (size_t i = 0; i < f->count; i++)
        if (f->places[i].open && f->places[i].name == name &&
            is_record_of(f, i, service, generation, ret_data))
            return i;
    return SIZE_MAX;
}

int instances_claim(struct instances *f, const char *service, int64_t generation, size_t *ret_slot,
                    struct instance_data *ret_data)
{
    size_t slot;
    int r = -ENOENT;

    instances_lock(f);
    slot = find_record(f, service, generation, ret_data);
    if (slot != SIZE_MAX && !f->places[slot].taken) {
        f->places[slot].taken = true;
        *ret_slot = slot;
        r = 0;
    }
    instances_unlock(f);
    return r;
}

bool instances_open_record(struct instances *f, const char *service, int64_t generation)
{
    struct instance_data data;
    size_t slot;

    instances_lock(f);
    slot = find_record(f, service, generation, &data);
    instances_unlock(f);
    return slot != SIZE_MAX;
}

void instances_write(struct instances *f, size_t slot, const struct instance_data *data)
{
    instances_lock(f);
    write_slot(f, slot, data, true);
    instances_unlock(f);
}

static bool read_open(struct instances *f, size_t slot, struct instance_data *ret_data)
    REQUIRES(instances_lock_class)
{
    const struct copy *copy = slot_current(slot_at(f, slot));

    if (!copy || !copy->open)
        return false;
    *ret_data = copy->data;
    return true;
}

void instances_mark(struct instances *f, size_t slot, enum instance_phase phase)
{
    struct instance_data data;

    instances_lock(f);
    if (read_open(f, slot, &data)) {
        data.phase = phase;
        write_slot(f, slot, &data, true);
    }
    instances_unlock(f);
}

void instances_set_main(struct instances *f, size_t slot, pid_t pid, uint64_t ticks)
{
    struct instance_data data;

    instances_lock(f);
    if (read_open(f, slot, &data)) {
        data.pid = pid;
        data.ticks = ticks;
        write_slot(f, slot, &data, true);
    }
    instances_unlock(f);
}

void instances_let_go(struct instances *f, size_t slot, bool closed)
{
    struct instance_data data;

    instances_lock(f);
    if (closed && read_open(f, slot, &data))
        write_slot(f, slot, &data, false);
    f->places[slot].taken = false;
    instances_unlock(f);
}

size_t instances_count(struct instances *f)
{
    size_t count;

    instances_lock(f);
    count = f->count;
    instances_unlock(f);
    return count;
}

bool instances_read(struct instances *f, size_t slot, struct instance_data *ret_data)
{
    bool open;

    instances_lock(f);
    open = read_open(f, slot, ret_data);
    instances_unlock(f);
    return open;
}

/* ---- parents ---- */

static bool parent_valid(const struct parent *p)
{
    return p->path[0] == '/' && memchr(p->path, '\0', sizeof p->path) &&
           p->checksum == hash_text(HASH_SEED, p->path);
}

static bool parent_used(struct instances *f, uint32_t parent) REQUIRES(instances_lock_class)
{
    struct instance_data data;

    for (size_t i = 0; i < f->count; i++)
        if (f->places[i].open && read_open(f, i, &data) && data.parent == parent)
            return true;
    return false;
}

int instances_parent_add(struct instances *f, const char *path, uint32_t *ret_parent)
{
    struct parent next = {.checksum = hash_text(HASH_SEED, path)};
    uint32_t place = PARENTS;

    if (strlen(path) >= sizeof next.path)
        return -ENAMETOOLONG;
    memcpy(next.path, path, strlen(path));
    instances_lock(f);
    for (uint32_t i = 0; i < PARENTS && place == PARENTS; i++)
        if (parent_valid(&f->header->parents[i]) && !strcmp(f->header->parents[i].path, path))
            place = i;
    for (uint32_t i = 0; i < PARENTS && place == PARENTS; i++)
        if (!parent_valid(&f->header->parents[i]) || !parent_used(f, i))
            place = i;
    if (place < PARENTS)
        f->header->parents[place] = next;
    instances_unlock(f);
    if (place == PARENTS)
        return -ENOSPC;
    *ret_parent = place;
    return 0;
}

bool instances_parent(struct instances *f, uint32_t parent, char path[PARENT_PATH_SIZE])
{
    bool found;

    instances_lock(f);
    found = parent < PARENTS && parent_valid(&f->header->parents[parent]);
    if (found)
        memcpy(path, f->header->parents[parent].path, PARENT_PATH_SIZE);
    instances_unlock(f);
    return found;
}
