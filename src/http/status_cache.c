#include "status_cache.h"

#include "base/clock.h"
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
    lock_init(&cache->lock);
}

void status_cache_deinit(struct status_cache *cache) NO_THREAD_SAFETY_CHECK
{
    fragments_deinit(&cache->fragments);
    shared_answer_unref(cache->answer);
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

void status_open(struct supervisor *supervisor, struct revision revision, bool full, struct text *t)
{
    char text[REVISION_TEXT_SIZE];

    revision_format(revision, text);
    text_appendf(t, "{\"revision\":\"%s\",\"full\":%s,\"time\":", text, full ? "true" : "false");
    text_json_utc(t, clock_utc_us());
    text_append(t, ",\"daemon\":");
    supervisor_daemon_json(supervisor, t);
    text_append(t, ",\"services\":[");
}

/* Takes body. */
static struct shared_answer *make_answer(struct text *body, struct revision revision)
{
    struct shared_answer *answer = malloc(sizeof *answer);
    size_t len = body->len;
    char *data = text_take(body);
    char tag[REVISION_TEXT_SIZE], quoted[REVISION_TEXT_SIZE + 2];

    if (!answer || !data)
        goto fail;
    answer->response = MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
    if (!answer->response)
        goto fail;
    atomic_init(&answer->references, 1);
    revision_format(revision, tag);
    snprintf(quoted, sizeof quoted, "\"%s\"", tag);
    if (MHD_add_response_header(answer->response, "Content-Type", "application/json") == MHD_NO ||
        MHD_add_response_header(answer->response, "Cache-Control", "no-cache") == MHD_NO ||
        MHD_add_response_header(answer->response, "X-Content-Type-Options", "nosniff") == MHD_NO ||
        MHD_add_response_header(answer->response, "ETag", quoted) == MHD_NO) {
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
    for (size_t i = 0; i < cache->fragments.count; i++) {
        const struct text *json = &cache->fragments.items[i].json;

        if (i > 0)
            text_append_n(&body, ",", 1);
        text_append_n(&body, json->data, json->len);
    }
    text_append(&body, "],\"removed\":[]}\n");
    cache->answer = make_answer(&body, cache->revision);
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
