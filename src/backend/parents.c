/* parents - the folders that groups are made in, in the header of the instance file. */
#include "base/hash.h"
#include "instance_file.h"

#include <errno.h>
#include <string.h>

static bool parent_valid(const struct parent *p)
{
    return p->path[0] == '/' && memchr(p->path, '\0', sizeof p->path) &&
           p->checksum == hash_text(HASH_SEED, p->path);
}

static bool parent_used(struct instances *f, uint32_t parent) REQUIRES(instances_lock_class)
{
    struct instance_data data;

    for (size_t i = 0; i < f->count; i++)
        if (f->places[i].open && instance_file_read(f, i, &data) && data.parent == parent)
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
