/* The file: a header of one page, then blocks of slots and then their ends, each block allocated
 * before it is mapped, so that no write into it can fail. A slot belongs to the first service that
 * was given it, for the rest of the boot. */
#include "journal/marks.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/lock.h"
#include "mark_slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MAGIC      UINT64_C(0x33736b72616d6f31) /* of this layout */
#define BLOCK_SIZE ((off_t)sizeof(struct mark_block))

_Static_assert(BLOCK_SIZE % 4096 == 0, "blocks are mapped one by one");

struct header {
    uint64_t magic, boot; /* a hash of its name */
};

struct mark_place {
    struct mark_slot *slot;
    struct mark_slot_ends *ends;
    uint64_t service;  /* hash of its name; 0: nobody's */
    uint64_t sequence; /* of the copy that counts; 0: nothing was written yet */
    int current;
};

struct block {
    struct list link;
    struct mark_block *mapped;
    struct mark_place places[MARK_BLOCK_SLOTS];
};

struct lock_class marks_lock_class;

struct marks {
    struct lock lock;
    int fd;
    char *path;
    struct list blocks GUARDED_BY(marks_lock_class);
    size_t count GUARDED_BY(marks_lock_class); /* blocks */
};

static void marks_lock(struct marks *m) ACQUIRE(marks_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&m->lock);
}

static void marks_unlock(struct marks *m) RELEASE(marks_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&m->lock);
}

/* ---- the file ---- */

static void read_place(struct mark_place *place, struct mark_slot *slot,
                       struct mark_slot_ends *ends)
{
    int current = mark_slot_current(slot, ends);

    *place = (struct mark_place){.slot = slot, .ends = ends, .current = current};
    if (current < 0)
        return;
    place->sequence = slot->copies[current].copy.sequence;
    place->service = hash_text(HASH_SEED, slot->copies[current].copy.service);
}

static int map_block(struct marks *m, struct error *err) REQUIRES(marks_lock_class)
{
    off_t at = MARK_HEADER_SIZE + (off_t)m->count * BLOCK_SIZE;
    CLEANUP(freep) struct block *block = calloc(1, sizeof *block);
    int result;

    if (!block)
        return error_set(err, -ENOMEM, "grow %s: %m", m->path);
    result = -FAULT(marks_grow) ?: posix_fallocate(m->fd, at, BLOCK_SIZE);
    if (result != 0)
        return error_set(err, -result, "grow %s: %m", m->path);
    block->mapped = mmap(NULL, BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, at);
    if (block->mapped == MAP_FAILED)
        return error_set(err, -errno, "map %s: %m", m->path);
    madvise(block->mapped, BLOCK_SIZE, MADV_RANDOM); /* the ends aren't read along with the slots */
    for (size_t i = 0; i < MARK_BLOCK_SLOTS; i++)
        read_place(&block->places[i], &block->mapped->slots[i], &block->mapped->ends[i]);
    list_append(&m->blocks, &block->link);
    m->count++;
    take(block);
    return 0;
}

static int map_all(struct marks *m, off_t size, struct error *err) REQUIRES(marks_lock_class)
{
    size_t blocks = size > MARK_HEADER_SIZE ? (size_t)((size - MARK_HEADER_SIZE) / BLOCK_SIZE) : 0;
    int result = 0;

    do
        result = map_block(m, err);
    while (result == 0 && m->count < blocks);
    return result;
}

/* The header comes last: until it is there, the file is another boot's. */
static int begin_anew(struct marks *m, const struct header *header, struct error *err)
{
    int result;

    if (ftruncate(m->fd, 0) < 0)
        return error_set(err, -errno, "begin %s anew: %m", m->path);
    result = posix_fallocate(m->fd, 0, MARK_HEADER_SIZE);
    if (result != 0)
        return error_set(err, -result, "begin %s anew: %m", m->path);
    if (pwrite(m->fd, header, sizeof *header, 0) != (ssize_t)sizeof *header)
        return error_set(err, -errno, "begin %s anew: %m", m->path);
    return 0;
}

static int open_file(struct marks *m, const char *runtime_dir, struct stat *ret_stat,
                     struct error *err)
{
    if (asprintf(&m->path, "%s/marks", runtime_dir) < 0) {
        m->path = NULL;
        return error_set(err, -ENOMEM, "open the marks: %m");
    }
    m->fd = FAULTS(marks_open)
                ? -1
                : open(m->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (m->fd < 0)
        return error_set(err, -errno, "open %s: %m", m->path);
    if (fstat(m->fd, ret_stat) < 0)
        return error_set(err, -errno, "look at %s: %m", m->path);
    if (!S_ISREG(ret_stat->st_mode))
        return error_set(err, -EINVAL, "%s is not a regular file", m->path);
    return 0;
}

static int read_file(struct marks *m, const char *runtime_dir, const char *boot_id,
                     struct error *err) REQUIRES(marks_lock_class)
{
    const struct header ours = {.magic = MAGIC + sizeof(struct mark_block),
                                .boot = hash_text(HASH_SEED, boot_id)};
    struct header found = {0};
    struct stat st;
    int result = open_file(m, runtime_dir, &st, err);

    if (result < 0)
        return result;
    if (pread(m->fd, &found, sizeof found, 0) != (ssize_t)sizeof found ||
        memcmp(&found, &ours, sizeof ours) != 0) {
        st.st_size = 0;
        result = begin_anew(m, &ours, err);
    }
    return result == 0 ? map_all(m, st.st_size, err) : result;
}

int marks_open(const char *runtime_dir, const char *boot_id, struct marks **ret_marks,
               struct error *err)
{
    struct marks *m = calloc(1, sizeof *m);
    int result;

    if (!m)
        return error_set(err, -ENOMEM, "open the marks: %m");
    m->fd = -1;
    lock_init(&m->lock, LOCK_MARKS);
    marks_lock(m);
    list_init(&m->blocks);
    result = read_file(m, runtime_dir, boot_id, err);
    marks_unlock(m);
    if (result < 0) {
        marks_close(m);
        return result;
    }
    *ret_marks = m;
    return 0;
}

void marks_close(struct marks *m) NO_THREAD_SAFETY_CHECK /* nobody else is left */
{
    if (!m)
        return;
    list_for_each_safe(link, &m->blocks)
    {
        struct block *block = list_entry(link, struct block, link);

        munmap(block->mapped, BLOCK_SIZE);
        free(block);
    }
    closep(&m->fd);
    free(m->path);
    lock_deinit(&m->lock);
    free(m);
}

/* ---- marks ---- */

/* Of a block; false: without memory. */
static bool add_left(const struct block *block, struct mark_left **left, size_t *count)
{
    struct mark_left *grown = reallocarray(*left, *count + MARK_BLOCK_SLOTS, sizeof *grown);

    if (!grown)
        return false;
    *left = grown;
    for (size_t i = 0; i < MARK_BLOCK_SLOTS; i++) {
        const struct mark_place *place = &block->places[i];

        if (place->current >= 0 &&
            mark_slot_read(place->slot, place->ends, place->current, &grown[*count]))
            ++*count;
    }
    return true;
}

int marks_left(struct marks *m, struct mark_left **ret_left, size_t *ret_count, struct error *err)
{
    CLEANUP(freep) struct mark_left *left = NULL;
    size_t count = 0;
    bool whole = true;

    marks_lock(m);
    list_for_each(link, &m->blocks) whole =
        whole && add_left(list_entry(link, struct block, link), &left, &count);
    marks_unlock(m);
    if (!whole)
        return error_set(err, -ENOMEM, "read %s: %m", m->path);
    *ret_left = take(left);
    *ret_count = count;
    return 0;
}

/* The service's own, else nobody's, else NULL. */
static struct mark_place *find_place(struct marks *m, uint64_t service) REQUIRES(marks_lock_class)
{
    struct mark_place *fresh = NULL;

    list_for_each(link, &m->blocks)
    {
        struct block *block = list_entry(link, struct block, link);

        for (size_t i = 0; i < MARK_BLOCK_SLOTS; i++) {
            if (block->places[i].service == service)
                return &block->places[i];
            if (!fresh && block->places[i].service == 0)
                fresh = &block->places[i];
        }
    }
    return fresh;
}

struct mark_place *marks_place(struct marks *m, const char *service, struct error *err)
{
    struct mark_place *place = NULL;
    uint64_t name = hash_text(HASH_SEED, service);
    size_t length = strlen(service);

    if (length == 0 || length > SERVICE_NAME_MAX) {
        error_set(err, -EINVAL, "\"%s\" is not the name of a service", service);
        return NULL;
    }
    marks_lock(m);
    place = find_place(m, name);
    if (!place && map_block(m, err) == 0)
        place = find_place(m, name);
    if (place)
        place->service = name;
    marks_unlock(m);
    return place;
}

void mark_write(struct mark_place *place, const char *service, const struct mark *mark)
{
    int other = place->current == 0 ? 1 : 0;

    (void)FAULT(marks_write);
    mark_slot_write(place->slot, place->ends, other, service, mark, ++place->sequence);
    place->current = other;
}
