#include "slot.h"

#include "base/hash.h"

#include <string.h>

_Static_assert(sizeof(struct copy) <= COPY_SIZE, "a copy has room");

static uint64_t checksum(const struct copy *copy)
{
    return hash_bytes(HASH_SEED, &copy->sequence, sizeof *copy - sizeof copy->checksum);
}

static bool valid(const struct copy *copy)
{
    return copy->checksum == checksum(copy) && copy->sequence > 0 &&
           memchr(copy->data.service, '\0', sizeof copy->data.service);
}

const struct copy *slot_current(const struct slot *slot)
{
    const struct copy *a = &slot->copies[0].copy, *b = &slot->copies[1].copy;

    if (!valid(a))
        return valid(b) ? b : NULL;
    return !valid(b) || a->sequence > b->sequence ? a : b;
}

void slot_write(struct slot *slot, const struct instance_data *data, bool open)
{
    const struct copy *now = slot_current(slot);
    struct copy *to = now == &slot->copies[0].copy ? &slot->copies[1].copy : &slot->copies[0].copy;
    struct copy next;

    memset(&next, 0, sizeof next); /* what lies between members is in the checksum */
    next.sequence = now ? now->sequence + 1 : 1;
    next.open = open;
    next.data = *data;
    next.checksum = checksum(&next);
    memcpy(to, &next, sizeof next);
}
