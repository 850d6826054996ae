/* client - requests to the daemon, over its Unix socket or TCP, on one connection.
 * Threads: one. Ownership: client_free(); answers are the caller's, answer_deinit(). */
#pragma once

#include "base/error.h"
#include "base/text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct client;
struct target;

struct request {
    const char *method, *path;
    const char *body; /* JSON; NULL: none */
    const char *key;  /* Idempotency-Key; NULL: none */
    int64_t patience_us;
};

struct answer {
    long http;        /* the HTTP status */
    struct text body; /* as it came */
    json_t *json;     /* NULL: it is none */
};
void answer_deinit(struct answer *answer);

int client_new(const struct target *target, struct client **ret_client, struct error *err);
void client_free(struct client *client); /* NULL is fine */

/* 0: there is an answer, of whatever status. -EINTR: Ctrl-C. -EPROTO: what answers makes no sense.
 * -ECONNABORTED: sent, but the connection ended before the answer. Any other: not reached, and
 * -EACCES when it is not allowed to. patience_us is how long the answer may take. */
int client_request(struct client *client, const struct request *request, struct answer *ret_answer,
                   struct error *err);

/* GET whose body goes to sink as it comes (false ends it: -EPIPE); an answer other than 200 is
 * collected instead. No limit in time. */
typedef bool client_sink(void *context, const char *data, size_t n);
int client_stream(struct client *client, const char *path, client_sink *sink, void *context,
                  struct answer *ret_answer, struct error *err);

/* s with everything but letters, digits and -._~ percent-encoded. */
void path_append(struct text *path, const char *s);
