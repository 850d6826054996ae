#include "mark_slot.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct mark_copy) <= MARK_COPY_SIZE, "a copy has room");

static uint64_t checksum(const struct mark_copy *copy)
{
    return hash_bytes(HASH_SEED, &copy->sequence, sizeof *copy - sizeof copy->checksum);
}

static bool valid(const struct mark_copy *copy)
{
    return copy->sequence > 0 && copy->checksum == checksum(copy) &&
           memchr(copy->service, '\0', sizeof copy->service) && copy->service[0] != '\0';
}

int mark_slot_current(const struct mark_slot *slot)
{
    const struct mark_copy *a = &slot->copies[0].copy, *b = &slot->copies[1].copy;

    if (!valid(a))
        return valid(b) ? 1 : -1;
    return valid(b) && b->sequence > a->sequence ? 1 : 0;
}

bool mark_copy_read(const struct mark_copy *copy, struct mark *ret_mark)
{
    struct mark mark = {
        .service = {.state = (enum service_state)copy->state,
                    .goal = (enum goal)copy->goal,
                    .generation = copy->generation,
                    .restarts = copy->restarts},
        .begun = copy->begun,
        .spec = copy->spec,
        .invocation = copy->invocation,
    };

    if (copy->state >= service_state_names.count || copy->goal >= goal_names.count)
        return false;
    for (size_t i = 0; i < MARK_ENDS; i++) {
        if (copy->end[i] >= operation_state_names.count)
            return false;
        mark.ends[i] = (struct mark_end){
            .first = copy->first[i],
            .last = copy->last[i],
            .state = (enum operation_state)copy->end[i],
            .changed = copy->changed[i] != 0,
            .began_utc = copy->began[i],
            .at_utc = copy->at[i],
        };
    }
    snprintf(mark.service.name, sizeof mark.service.name, "%s", copy->service);
    *ret_mark = mark;
    return true;
}

void mark_copy_write(struct mark_copy *to, const char *service, const struct mark *mark,
                     uint64_t sequence)
{
    struct mark_copy next;

    memset(&next, 0, sizeof next); /* what lies between members is in the checksum */
    next.sequence = sequence;
    next.generation = mark->service.generation;
    next.restarts = mark->service.restarts;
    next.begun = mark->begun;
    next.spec = mark->spec;
    next.invocation = mark->invocation;
    next.state = (uint8_t)mark->service.state;
    next.goal = (uint8_t)mark->service.goal;
    for (size_t i = 0; i < MARK_ENDS; i++) {
        next.first[i] = mark->ends[i].first;
        next.last[i] = mark->ends[i].last;
        next.end[i] = (uint8_t)mark->ends[i].state;
        next.changed[i] = mark->ends[i].changed;
        next.began[i] = mark->ends[i].began_utc;
        next.at[i] = mark->ends[i].at_utc;
    }
    memcpy(next.service, service, strlen(service));
    next.checksum = checksum(&next);
    memcpy(to, &next, sizeof next);
}
