/* status_cache - the body of GET /status, written once for each revision by its first reader and
 * shared by all others.
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
};

void status_cache_init(struct status_cache *cache);
void status_cache_deinit(struct status_cache *cache);
/* The whole status as it is now: a reference; NULL without memory. */
struct shared_answer *status_cache_get(struct status_cache *cache, struct supervisor *supervisor)
    EXCLUDES(status_lock_class);

struct MHD_Response *shared_answer_response(struct shared_answer *answer);
void shared_answer_unref(struct shared_answer *answer); /* NULL is fine */

/* {"revision":…,"full":…,"time":…,"daemon":{…},"services":[ */
void status_open(struct supervisor *supervisor, struct revision revision, bool full,
                 struct text *t);
