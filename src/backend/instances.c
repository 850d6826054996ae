#include "instances.h"

#include "base/fault.h"
#include "base/hash.h"
#include "instance_file.h"

#include <errno.h>
#include <string.h>

#define SPARE_SLOTS 16

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
        r = instance_file_grow(f);
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
    const struct copy *copy = instance_file_look(f, slot);

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
    (void)FAULT(instances_write);
    instances_lock(f);
    instance_file_write(f, slot, data, true);
    instances_unlock(f);
}

void instances_mark(struct instances *f, size_t slot, enum instance_phase phase)
{
    struct instance_data data;

    instances_lock(f);
    if (instance_file_read(f, slot, &data)) {
        data.phase = phase;
        instance_file_write(f, slot, &data, true);
    }
    instances_unlock(f);
}

void instances_set_main(struct instances *f, size_t slot, pid_t pid, uint64_t ticks)
{
    struct instance_data data;

    instances_lock(f);
    if (instance_file_read(f, slot, &data)) {
        data.pid = pid;
        data.ticks = ticks;
        instance_file_write(f, slot, &data, true);
    }
    instances_unlock(f);
}

void instances_let_go(struct instances *f, size_t slot, bool closed)
{
    struct instance_data data;

    (void)FAULT(instances_close);
    instances_lock(f);
    if (closed && instance_file_read(f, slot, &data))
        instance_file_write(f, slot, &data, false);
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
    open = instance_file_read(f, slot, ret_data);
    instances_unlock(f);
    return open;
}
