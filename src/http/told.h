/* told - what the core has said of operations: the answer to a request for them, or what was
 * looked up.
 * Threads: none, a plain value. Ownership: told_deinit(). */
#pragma once

#include "core/supervisor.h"

struct told {
    enum accept_result result;
    bool failed; /* no memory for it */
    struct operation *operations;
    size_t count;
    int64_t batch;
    bool as_batch; /* shown as {"batch","operations"}, else as the one record */
    char *subject, *detail, *nearest;
};

/* Copies all of it; failed says when it could not. */
void told_acceptance(struct told *told, const struct acceptance *acceptance);
/* Takes one record. */
void told_one(struct told *told, struct operation *op);
void told_deinit(struct told *told);

/* To whoever has waited: 202 not all have ended, 200 all have succeeded, 409 else; a 5xx would make
 * tools ask once more. */
unsigned told_status(const struct told *told);
void told_json(const struct told *told, struct text *t);
/* Where it can be looked at. */
#define LOCATION_SIZE 64
void told_location(const struct told *told, char text[static LOCATION_SIZE]);
