/* eye - somebody who watches units: through Orderly's status, or as a bare reader of the bus.
 *
 * Units are numbered from 1, services too: bench-NUMBER.service and bench-NUMBER.
 * Threads: one. Ownership: an eye belongs to whoever opened it, until close. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define UNIT_PREFIX "bench-"

/* What an eye has seen of one unit. */
struct sight {
    bool known, up;
    int64_t ns; /* when it saw that it was so */
};

struct view {
    int count;
    struct sight *sights; /* of unit n: sights[n] */
    int64_t told;         /* how often a state was told, repeats included */
};

struct eye;

struct eye_ops {
    /* Sees how all of them are now, and from then on every change. */
    struct eye *(*open)(struct view *view, const char *socket);
    /* Waits for news and puts it into the view; without any it returns after ten seconds. */
    void (*look)(struct eye *eye);
    void (*close)(struct eye *eye);
};

extern const struct eye_ops eye_rest, eye_bus;

/* A transition is dated when it is first seen; number of 0: not one of them. */
void view_see(struct view *view, int number, bool up);
int unit_number(const char *name);
