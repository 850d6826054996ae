#include "client.h"

#include "find.h"
#include "interrupt.h"

#include "base/clock.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_PATIENCE_MS 5000L
#define BODY_LIMIT          ((size_t)256 << 20)

struct client {
    const struct target *target;
    CURL *curl;
    struct curl_slist *headers;
    char message[CURL_ERROR_SIZE];
};

/* Where the body of the request under way goes. */
struct transfer {
    struct client *client;
    struct answer *answer;
    client_sink *sink; /* NULL: collected */
    void *context;
    bool sink_ended;
};

void answer_deinit(struct answer *answer)
{
    text_deinit(&answer->body);
    json_decref(answer->json);
    *answer = (struct answer){0};
}

void path_append(struct text *path, const char *s)
{
    for (; *s; s++) {
        if (isalnum((unsigned char)*s) || strchr("-._~", *s))
            text_append_n(path, s, 1);
        else
            text_appendf(path, "%%%02X", (unsigned char)*s);
    }
}

/* Called every time curl wakes up: a signal wakes it at once. */
static int stop_when_interrupted(void *context, curl_off_t down, curl_off_t downed, curl_off_t up,
                                 curl_off_t upped)
{
    (void)context, (void)down, (void)downed, (void)up, (void)upped;
    return interrupted();
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    long http = 0;

    curl_easy_getinfo(t->client->curl, CURLINFO_RESPONSE_CODE, &http);
    if (t->sink && http == 200) {
        t->sink_ended = !t->sink(t->context, data, size * count);
        return t->sink_ended ? 0 : size * count;
    }
    text_append_n(&t->answer->body, data, size * count);
    return t->answer->body.failed || t->answer->body.len > BODY_LIMIT ? 0 : size * count;
}

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
    struct text line = {0};
    struct curl_slist *longer;

    text_appendf(&line, "%s: %s", name, value);
    longer = line.failed ? NULL : curl_slist_append(*list, line.data);
    text_deinit(&line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

/* Headers of our own: the token stands nowhere else, least of all on a command line. */
static int set_headers(struct client *c, const struct request *r, struct error *err)
{
    struct curl_slist *headers = NULL;
    struct text token = {0};
    bool done = true;

    if (c->target->token) {
        text_appendf(&token, "Bearer %s", c->target->token);
        done = !token.failed && add_header(&headers, "Authorization", token.data);
    }
    text_deinit(&token);
    /* curl's own idea is that of a form; "Expect" would wait for an answer that never comes. */
    done = done && add_header(&headers, "Content-Type", r->body ? "application/json" : "");
    if (r->key)
        done = done && add_header(&headers, "Idempotency-Key", r->key);
    done = done && add_header(&headers, "Expect", "");
    curl_slist_free_all(c->headers);
    c->headers = headers;
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    return done ? 0 : error_set(err, -ENOMEM, "%m");
}

int client_new(const struct target *target, struct client **ret_client, struct error *err)
{
    struct client *c = calloc(1, sizeof *c);

    if (!c)
        return error_set(err, -ENOMEM, "%m");
    c->target = target;
    c->curl = curl_easy_init();
    if (!c->curl) {
        client_free(c);
        return error_set(err, -ENOMEM, "%m");
    }
    if (target->socket)
        curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, target->socket);
    if (target->cacert)
        curl_easy_setopt(c->curl, CURLOPT_CAINFO, target->cacert);
    curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(c->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "orderlyctl/" ORDERLY_VERSION);
    curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_PATIENCE_MS);
    curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->message);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c->curl, CURLOPT_XFERINFOFUNCTION, stop_when_interrupted);
    curl_easy_setopt(c->curl, CURLOPT_NOPROGRESS, 0L);
    *ret_client = c;
    return 0;
}

void client_free(struct client *c)
{
    if (!c)
        return;
    curl_easy_cleanup(c->curl);
    curl_slist_free_all(c->headers);
    free(c);
}

static int explain_failure(struct client *c, CURLcode code, const struct transfer *t,
                           struct error *err)
{
    long os_errno = 0;

    curl_easy_getinfo(c->curl, CURLINFO_OS_ERRNO, &os_errno);
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK: return error_set(err, -EINTR, "interrupted");
    case CURLE_WRITE_ERROR:
        if (t->sink_ended)
            return error_set(err, -EPIPE, "%m");
        return error_set(err, -EPROTO, "the answer is too large");
    case CURLE_COULDNT_CONNECT:
        return target_explain(c->target, os_errno ? (int)-os_errno : -ECONNREFUSED, err);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return error_set(err, -EHOSTUNREACH, "cannot reach orderlyd at %s (%s): %s",
                         target_address(c->target), c->target->origin, c->message);
    case CURLE_OPERATION_TIMEDOUT:
        return error_set(err, -ETIMEDOUT, "orderlyd at %s does not answer: %s",
                         target_address(c->target), c->message);
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        return error_set(err, -ECONNABORTED, "orderlyd at %s went away before it had answered",
                         target_address(c->target));
    case CURLE_PEER_FAILED_VERIFICATION:
        return error_set(err, -EKEYREJECTED,
                         "not sure that it is orderlyd at %s: %s; name who vouches for it with "
                         "--cacert or ORDERLY_CACERT",
                         target_address(c->target), c->message);
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
        return error_set(err, -EKEYREJECTED, "cannot reach orderlyd at %s (%s): %s",
                         target_address(c->target), c->target->origin, c->message);
    default:
        return error_set(err, -EPROTO, "%s: %s", target_address(c->target),
                         *c->message ? c->message : curl_easy_strerror(code));
    }
}

static void set_method(struct client *c, const struct request *r)
{
    bool reads = strcmp(r->method, "GET") == 0;

    curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
    if (!reads && strcmp(r->method, "DELETE") != 0) {
        curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, r->body ? (long)strlen(r->body) : 0L);
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, r->body ? r->body : "");
    }
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, r->method);
    /* On an old connection that turns out dead curl sends again by itself; what changes something
     * must never be sent twice. */
    curl_easy_setopt(c->curl, CURLOPT_FRESH_CONNECT, reads ? 0L : 1L);
}

static int perform(struct client *c, const struct request *r, struct transfer *t, struct error *err)
{
    struct text url = {0};
    CURLcode code;

    text_append(&url, c->target->url);
    text_append(&url, r->path);
    if (url.failed)
        return error_set(err, -ENOMEM, "%m");
    curl_easy_setopt(c->curl, CURLOPT_URL, url.data);
    text_deinit(&url);
    set_method(c, r);
    if (set_headers(c, r, err) < 0)
        return err->code;
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)(r->patience_us / USEC_PER_MSEC));
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, t);
    c->message[0] = '\0';
    code = curl_easy_perform(c->curl);
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &t->answer->http);
    return code == CURLE_OK ? 0 : explain_failure(c, code, t, err);
}

static void parse_answer(struct answer *answer)
{
    if (answer->body.data)
        answer->json = json_loadb(answer->body.data, answer->body.len, 0, NULL);
}

int client_request(struct client *c, const struct request *r, struct answer *ret_answer,
                   struct error *err)
{
    struct transfer t = {.client = c, .answer = ret_answer};
    int result;

    *ret_answer = (struct answer){0};
    result = perform(c, r, &t, err);
    if (result < 0)
        answer_deinit(ret_answer);
    else
        parse_answer(ret_answer);
    return result;
}

int client_stream(struct client *c, const char *path, client_sink *sink, void *context,
                  struct answer *ret_answer, struct error *err)
{
    struct request request = {.method = "GET", .path = path};
    struct transfer t = {c, ret_answer, sink, context, false};
    int result;

    *ret_answer = (struct answer){0};
    result = perform(c, &request, &t, err);
    if (result < 0)
        answer_deinit(ret_answer);
    else
        parse_answer(ret_answer);
    return result;
}
