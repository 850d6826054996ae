/* fragments - every service's row of the status as JSON text, one after the other, written again
 * only when that service has changed. They lie in one piece of memory, for it is large and comes
 * and goes.
 * Threads: none, the status cache's lock guards it. Ownership: fragments_deinit(). */
#pragma once

#include "base/text.h"
#include "model/service_status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fragment {
    struct service_spec *spec; /* a reference: whose it is */
    uint64_t changed;          /* the revision number it was written at */
    size_t begin, length;      /* in the rows */
};

struct fragments {
    struct text rows;       /* with commas between them */
    struct fragment *items; /* ordered by name */
    size_t count;
};

/* One walk over all services, in the order of their names: what is not visited is dropped. */
struct fragments_walk {
    struct fragments *fragments; /* as they were */
    struct fragments made;
    size_t capacity, at;
    size_t written; /* how many were written anew */
    bool failed;
};
void fragments_begin(struct fragments *fragments, struct fragments_walk *walk);
void fragments_visit(struct fragments_walk *walk, const struct service_status *status,
                     uint64_t changed);
/* False: no memory; the fragments are empty then. */
bool fragments_end(struct fragments_walk *walk);
void fragments_deinit(struct fragments *fragments);
