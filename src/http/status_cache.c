#include "status_cache.h"

#include "base/clock.h"
#include "base/fault.h"
#include "encode.h"
#include "revision.h"

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct lock_class status_lock_class;

struct shared_answer {
    atomic_int references;
    struct MHD_Response *response;
};

static void status_lock(struct status_cache *c) ACQUIRE(status_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&c->lock);
}

static void status_unlock(struct status_cache *c) RELEASE(status_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&c->lock);
}

void status_cache_init(struct status_cache *cache) NO_THREAD_SAFETY_CHECK
{
    *cache = (struct status_cache){0};
    lock_init(&cache->lock, LOCK_STATUS);
}

void status_cache_deinit(struct status_cache *cache) NO_THREAD_SAFETY_CHECK
{
    fragments_deinit(&cache->fragments);
    shared_answer_unref(cache->answer);
    shared_answer_unref(cache->changes);
    lock_deinit(&cache->lock);
}

struct MHD_Response *shared_answer_response(struct shared_answer *answer)
{
    return answer->response;
}

void shared_answer_unref(struct shared_answer *answer)
{
    if (!answer || atomic_fetch_sub(&answer->references, 1) > 1)
        return;
    MHD_destroy_response(answer->response);
    free(answer);
}

/* {"revision":…,"full":…,"time":…,"daemon":{…},"services":[ */
static void status_open(struct supervisor *supervisor, struct revision revision, bool full,
                        struct text *t)
{
    char text[REVISION_TEXT_SIZE];

    revision_format(revision, text);
    text_appendf(t, "{\"revision\":\"%s\",\"full\":%s,\"time\":", text, full ? "true" : "false");
    text_json_utc(t, clock_utc_us());
    text_append(t, ",\"daemon\":");
    supervisor_daemon_json(supervisor, t);
    text_append(t, ",\"services\":[");
}

static bool put_headers(struct MHD_Response *response, const char *caching, const char *tag)
{
    return MHD_add_response_header(response, "Content-Type", "application/json") == MHD_YES &&
           MHD_add_response_header(response, "Cache-Control", caching) == MHD_YES &&
           MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") == MHD_YES &&
           (!tag || MHD_add_response_header(response, "ETag", tag) == MHD_YES);
}

/* Takes body; tag: NULL is none. */
static struct shared_answer *make_answer(struct text *body, const char *caching, const char *tag)
{
    struct shared_answer *answer = FAULT(status_answer) ? NULL : malloc(sizeof *answer);
    size_t len = body->len;
    char *data = text_take(body);

    if (!answer || !data)
        goto fail;
    answer->response = MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
    if (!answer->response)
        goto fail;
    atomic_init(&answer->references, 1);
    if (!put_headers(answer->response, caching, tag)) {
        shared_answer_unref(answer);
        return NULL;
    }
    return answer;
fail:
    free(data);
    free(answer);
    return NULL;
}

static void visit(void *context, const struct service_status *status, uint64_t changed)
{
    fragments_visit(context, status, changed);
}

/* The daemon's part is read after the services: it may be newer than the revision, never older. */
static void rewrite(struct status_cache *cache, struct supervisor *supervisor)
    REQUIRES(status_lock_class)
{
    char tag[REVISION_TEXT_SIZE], quoted[REVISION_TEXT_SIZE + 2];
    struct fragments_walk walk;
    struct text body = {0};

    shared_answer_unref(cache->answer);
    cache->answer = NULL;
    fragments_begin(&cache->fragments, &walk);
    supervisor_read_status(supervisor, 0, &(struct status_visitor){visit, NULL, &walk},
                           &cache->revision);
    if (!fragments_end(&walk))
        return;
    status_open(supervisor, cache->revision, true, &body);
    if (cache->fragments.count > 0)
        text_append_n(&body, cache->fragments.rows.data, cache->fragments.rows.len);
    text_append(&body, "],\"removed\":[]}\n");
    revision_format(cache->revision, tag);
    snprintf(quoted, sizeof quoted, "\"%s\"", tag);
    cache->answer = make_answer(&body, "no-cache", quoted);
}

struct shared_answer *status_cache_get(struct status_cache *cache, struct supervisor *supervisor)
{
    struct revision now = supervisor_revision(supervisor);
    struct shared_answer *answer;

    status_lock(cache);
    if (!cache->answer || cache->revision.epoch != now.epoch || cache->revision.number < now.number)
        rewrite(cache, supervisor);
    answer = cache->answer;
    if (answer)
        atomic_fetch_add(&answer->references, 1);
    status_unlock(cache);
    return answer;
}

/* ---- what changed ---- */

struct delta {
    struct text services, removed;
};

static void add_changed(void *context, const struct service_status *status, uint64_t changed)
{
    struct delta *delta = context;

    (void)changed;
    if (delta->services.len > 0)
        text_append(&delta->services, ",");
    status_json(status, &delta->services);
}

static void add_removed(void *context, const char *name)
{
    struct delta *delta = context;

    if (delta->removed.len > 0)
        text_append(&delta->removed, ",");
    text_json_string(&delta->removed, name);
}

static void append_part(struct text *t, const struct text *part)
{
    if (part->failed)
        t->failed = true;
    else if (part->len > 0)
        text_append_n(t, part->data, part->len);
}

/* False: it is forgotten. */
static bool rewrite_changes(struct status_cache *cache, struct supervisor *supervisor,
                            uint64_t since) REQUIRES(status_lock_class)
{
    struct delta delta = {0};
    struct text body = {0};
    bool known;

    shared_answer_unref(cache->changes);
    cache->changes = NULL;
    cache->since = since;
    known = supervisor_read_status(supervisor, since,
                                   &(struct status_visitor){add_changed, add_removed, &delta},
                                   &cache->until);
    if (known) {
        status_open(supervisor, cache->until, false, &body);
        append_part(&body, &delta.services);
        text_append(&body, "],\"removed\":[");
        append_part(&body, &delta.removed);
        text_append(&body, "]}\n");
        cache->changes = make_answer(&body, "no-store", NULL);
    }
    text_deinit(&delta.services);
    text_deinit(&delta.removed);
    return known;
}

/* Without a change it is the time that is news: then nothing is shared. */
struct shared_answer *status_cache_since(struct status_cache *cache, struct supervisor *supervisor,
                                         uint64_t since, bool *ret_forgotten)
{
    struct revision now = supervisor_revision(supervisor);
    struct shared_answer *answer = NULL;
    bool known = true;

    status_lock(cache);
    if (!cache->changes || cache->since != since || since == now.number ||
        cache->until.epoch != now.epoch || cache->until.number < now.number)
        known = rewrite_changes(cache, supervisor, since);
    answer = cache->changes;
    if (answer)
        atomic_fetch_add(&answer->references, 1);
    status_unlock(cache);
    *ret_forgotten = !known;
    return answer;
}
