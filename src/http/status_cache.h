/* status_cache - the body of GET /status, written once for each revision by its first reader and
 * shared by all others; and what changed last, for the many who know the same revision.
 * Threads: any; one lock, above the board's. Ownership: an answer lives as long as its last
 * reference. */
#pragma once

#include "base/lock.h"
#include "core/supervisor.h"
#include "fragments.h"

struct MHD_Response;
struct shared_answer;

extern struct lock_class status_lock_class;

struct status_cache {
    struct lock lock;
    struct fragments fragments GUARDED_BY(status_lock_class);
    struct revision revision GUARDED_BY(status_lock_class);     /* of answer */
    struct shared_answer *answer GUARDED_BY(status_lock_class); /* NULL: none yet */
    uint64_t since GUARDED_BY(status_lock_class); /* what changed after it, up to `until` */
    struct revision until GUARDED_BY(status_lock_class);
    struct shared_answer *changes GUARDED_BY(status_lock_class); /* NULL: none yet */
};

void status_cache_init(struct status_cache *cache);
void status_cache_deinit(struct status_cache *cache);
/* The whole status as it is now: a reference; NULL without memory. */
struct shared_answer *status_cache_get(struct status_cache *cache, struct supervisor *supervisor)
    EXCLUDES(status_lock_class);

/* What changed after a revision of this daemon: a reference; NULL without memory, or
 * (*ret_forgotten) when that is not known any more. */
struct shared_answer *status_cache_since(struct status_cache *cache, struct supervisor *supervisor,
                                         uint64_t since, bool *ret_forgotten)
    EXCLUDES(status_lock_class);

struct MHD_Response *shared_answer_response(struct shared_answer *answer);
void shared_answer_unref(struct shared_answer *answer); /* NULL is fine */
