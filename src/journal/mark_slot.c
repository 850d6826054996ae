#include "mark_slot.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct mark_copy) <= MARK_COPY_SIZE, "a copy has room");

uint64_t mark_checksum(const struct mark_copy *copy, const struct mark_copy_end *ends)
{
    uint64_t head = hash_bytes(HASH_SEED, &copy->sequence, sizeof *copy - sizeof copy->checksum);

    return hash_bytes(head, ends, copy->ended * sizeof *ends);
}

static bool valid(const struct mark_copy *copy, const struct mark_copy_end *ends)
{
    return copy->sequence > 0 && copy->ended <= MARK_ENDS &&
           copy->checksum == mark_checksum(copy, ends) &&
           memchr(copy->service, '\0', sizeof copy->service) && copy->service[0] != '\0';
}

int mark_slot_current(const struct mark_slot *slot, const struct mark_slot_ends *ends)
{
    const struct mark_copy *a = &slot->copies[0].copy, *b = &slot->copies[1].copy;

    if (!valid(a, ends->of[0]))
        return valid(b, ends->of[1]) ? 1 : -1;
    return valid(b, ends->of[1]) && b->sequence > a->sequence ? 1 : 0;
}

bool mark_slot_read(const struct mark_slot *slot, const struct mark_slot_ends *ends, int which,
                    struct mark_left *ret_left)
{
    const struct mark_copy *copy = &slot->copies[which].copy;
    struct mark_left left = {
        .mark =
            {
                .service = {.state = (enum service_state)copy->state,
                            .goal = (enum goal)copy->goal,
                            .generation = copy->generation,
                            .restarts = copy->restarts},
                .begun = copy->begun,
                .spec = copy->spec,
                .invocation = copy->invocation,
            },
    };

    if (copy->state >= service_state_names.count || copy->goal >= goal_names.count)
        return false;
    for (size_t i = 0; i < copy->ended; i++) {
        const struct mark_copy_end *end = &ends->of[which][i];

        if (end->state >= operation_state_names.count)
            return false;
        left.ends[i] = (struct mark_end){
            .first = end->first,
            .last = end->last,
            .state = (enum operation_state)end->state,
            .changed = end->changed != 0,
            .began_utc = end->began,
            .at_utc = end->at,
        };
    }
    snprintf(left.service, sizeof left.service, "%s", copy->service);
    *ret_left = left;
    return true;
}

/* How many there are: each has taken the first place. */
static uint8_t write_ends(struct mark_copy_end to[static MARK_ENDS], const struct mark_end *ends)
{
    uint8_t count = 0;

    for (; ends && count < MARK_ENDS && ends[count].first != 0; count++)
        to[count] = (struct mark_copy_end){
            .first = ends[count].first,
            .last = ends[count].last,
            .began = ends[count].began_utc,
            .at = ends[count].at_utc,
            .state = ends[count].state,
            .changed = ends[count].changed,
        };
    return count;
}

void mark_slot_write(struct mark_slot *slot, struct mark_slot_ends *ends, int copy,
                     const char *service, const struct mark *mark, uint64_t sequence)
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
    next.ended = write_ends(ends->of[copy], mark->ends);
    memcpy(next.service, service, strlen(service));
    next.checksum = mark_checksum(&next, ends->of[copy]);
    memcpy(&slot->copies[copy].copy, &next, sizeof next);
}
