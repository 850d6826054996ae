#include "instance_file.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define FILE_MAGIC  UINT64_C(0x31736e6979647264) /* of this layout */
#define HEADER_SIZE 4096
#define BLOCK_SIZE  (BLOCK_SLOTS * sizeof(struct slot))

_Static_assert(sizeof(struct header) <= HEADER_SIZE, "the header is one page");
_Static_assert(BLOCK_SIZE % 4096 == 0, "blocks are mapped one by one");

static struct slot *slot_at(struct instances *f, size_t slot) REQUIRES(instances_lock_class)
{
    return &f->blocks[slot / BLOCK_SLOTS][slot % BLOCK_SLOTS];
}

const struct copy *instance_file_look(struct instances *f, size_t slot)
{
    return slot_current(slot_at(f, slot));
}

bool instance_file_read(struct instances *f, size_t slot, struct instance_data *ret_data)
{
    const struct copy *copy = instance_file_look(f, slot);

    if (!copy || !copy->open)
        return false;
    *ret_data = copy->data;
    return true;
}

void instance_file_write(struct instances *f, size_t slot, const struct instance_data *data,
                         bool open)
{
    slot_write(slot_at(f, slot), data, open);
    f->places[slot].open = open;
}

int instance_file_grow(struct instances *f)
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
    r = -FAULT(instances_grow) ?: posix_fallocate(f->fd, at, (off_t)BLOCK_SIZE);
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
    f->fd = FAULTS(instances_open) ? -1
                                   : open(f->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
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
        r = instance_file_grow(f);
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
    lock_init(&f->lock, LOCK_INSTANCES);
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
