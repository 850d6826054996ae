/* reserve - 4 MiB beside state.db that are given up when the disk is full, so that what must be
 * written down still can be.
 * Threads: whoever leads. Ownership: reserve_deinit() frees; the file stays for the next daemon. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum reserve_state {
    RESERVE_NONE, /* it could not be made yet */
    RESERVE_HELD,
    RESERVE_GIVEN, /* given up: the disk counts as full until it can be made again */
};

struct reserve {
    char *path;
    enum reserve_state state;
    int64_t next_try; /* to make it */
};

int reserve_init(struct reserve *reserve, const char *database, struct error *err);
void reserve_deinit(struct reserve *reserve);

/* Makes the file when it is time to try and it is not held; true: it is held. */
bool reserve_make(struct reserve *reserve);
/* Whether there is room for more than a moment, apart from what is held. */
bool reserve_room(struct reserve *reserve);
/* True: there is more room now than before. */
bool reserve_give_up(struct reserve *reserve);
