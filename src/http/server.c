#include "server.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "follower.h"
#include "listen.h"
#include "listener.h"
#include "peer.h"
#include "reread.h"

#include <errno.h>
#include <jansson.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#define LOCAL_CONNECTIONS 2048
#define TCP_CONNECTIONS   1024
#define LAST_ANSWERS      (2 * USEC_PER_SEC) /* so long a stop waits for slow readers of answers */

/* How long a peer may take; libmicrohttpd's own timeout would start anew with each byte. */
static const int64_t within[STAGE_COUNT] = {
    [STAGE_HEAD] = 10 * USEC_PER_SEC, [STAGE_BODY] = 30 * USEC_PER_SEC,
    [STAGE_WORK] = CLOCK_NEVER,       [STAGE_ANSWER] = 60 * USEC_PER_SEC,
    [STAGE_IDLE] = 60 * USEC_PER_SEC,
};

struct lock_class http_lock_class;

void http_lock(struct http *http) NO_THREAD_SAFETY_CHECK
{
    lock_take(&http->lock);
}

void http_unlock(struct http *http) NO_THREAD_SAFETY_CHECK
{
    lock_release(&http->lock);
}

/* ---- what is under way ---- */

bool http_stopping(struct http *http)
{
    bool stopping;

    http_lock(http);
    stopping = http->stopping;
    http_unlock(http);
    return stopping;
}

void http_enter(struct http *http)
{
    http_lock(http);
    http->active++;
    http_unlock(http);
}

void http_leave(struct http *http)
{
    http_lock(http);
    http->active--;
    if (http->stopping)
        cond_broadcast(&http->changed);
    http_unlock(http);
}

bool http_expect(struct http *http)
{
    bool granted;

    http_lock(http);
    granted = !http->stopping;
    http->expected += granted;
    http_unlock(http);
    return granted;
}

void http_arrived(struct http *http)
{
    http_lock(http);
    http->expected--;
    if (http->stopping)
        cond_broadcast(&http->changed);
    http_unlock(http);
}

/* ---- start ---- */

/* ---- tokens and certificate ---- */

static int load_secrets(struct http *http, struct error *err)
{
    struct reread_fault faults[REREAD_COUNT];

    return reread(http, faults) > 0 ? reread_error(&faults[0], err) : 0;
}

/* A token file that is not there will be made. */
int http_check(const struct config *config, struct error *err)
{
    struct reread_fault faults[REREAD_COUNT];
    size_t count = reread_try(config, faults);

    for (size_t i = 0; i < count; i++)
        if (faults[i].err.code != -ENOENT || faults[i].file != config->token_file)
            return reread_error(&faults[i], err);
    return 0;
}

static int make_tokens(struct http *http, struct error *err)
{
    const char *path = http->config.config->token_file;
    int result = tokens_make(path, err);

    if (result == 0)
        log_info("made %s with a token for the API over TCP", path);
    return result == -EEXIST ? 0 : result;
}

static int open_tcp(struct http *http, int *ret_fd, struct error *err)
{
    const struct config *config = http->config.config;
    int result;

    if (http->tcp.tls && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return error_set(err, -ENOTSUP, "tls_cert: this libmicrohttpd was built without TLS");
    result = make_tokens(http, err);
    if (result == 0)
        result = load_secrets(http, err);
    if (result == 0)
        result = listen_tcp(config->listen, http->tcp.tls || config->allow_plain_http,
                            http->config.handover, http->tcp.host, ret_fd, err);
    if (result == 0 && !http->tcp.tls && !hostname_is_loopback(http->tcp.host))
        log_warning("listen = %s: without TLS every token and every answer crosses the network in "
                    "plain text (allow_plain_http = yes)",
                    config->listen);
    return result;
}

/* Everything that may be refused comes first, and then the threads. */
static int open_listeners(struct http *http, struct error *err)
{
    const struct config *config = http->config.config;
    CLEANUP(closep) int tcp = -1;
    int local, result = 0;

    if (config->listen)
        result = open_tcp(http, &tcp, err);
    if (result == 0)
        result = listen_unix(config->socket, config->group, http->config.handover, &local,
                             &http->socket_file, err);
    if (result < 0)
        return result;
    http->group = config->group ? http->socket_file.st_gid : NO_GROUP;
    result = listener_start(&http->local, local, err);
    if (result == 0 && config->listen)
        result = listener_start(&http->tcp, take_fd(&tcp), err);
    return result;
}

static struct http *http_new(const struct http_config *config,
                             struct supervisor *supervisor) NO_THREAD_SAFETY_CHECK
{
    struct http *http = calloc(1, sizeof *http);

    if (!http)
        return NULL;
    http->config = *config;
    http->supervisor = supervisor;
    http->local =
        (struct listener){.http = http, .unix_socket = true, .connections = LOCAL_CONNECTIONS};
    http->tcp = (struct listener){
        .http = http,
        .tls = config->config->tls_cert && config->config->tls_key,
        .connections = TCP_CONNECTIONS,
    };
    auth_init(&http->auth);
    tls_init(&http->tls);
    patience_init(&http->patience, supervisor_watcher(supervisor), within);
    status_cache_init(&http->status);
    lock_init(&http->lock, LOCK_HTTP);
    cond_init(&http->changed);
    list_init(&http->followers);
    return http;
}

int http_start(const struct http_config *config, struct supervisor *supervisor,
               struct http **ret_http, struct error *err)
{
    struct http *http = http_new(config, supervisor);
    int result;

    if (!http)
        return error_set(err, -ENOMEM, "start the HTTP server: %m");
    json_object_seed(0); /* must be before there are threads that parse */
    result = open_listeners(http, err);
    if (result < 0) {
        http_stop(http);
        return result;
    }
    *ret_http = http;
    return 0;
}

void http_reload(struct http *http)
{
    struct reread_fault faults[REREAD_COUNT];
    size_t count = reread(http, faults);

    for (size_t i = 0; i < count; i++) {
        struct error err;

        reread_error(&faults[i], &err);
        log_error("%s; what was read before stays", err.text);
    }
    if (count == 0 && http->tcp.daemon)
        log_info("the tokens%s have been read again", http->tcp.tls ? " and the certificate" : "");
}

static int hand_over(struct listener *listener, struct handover *handover)
{
    int fd = listener->daemon ? MHD_quiesce_daemon(listener->daemon) : -1;

    if (fd < 0)
        return 0;
    listener->handed_over = fd; /* its threads may still look at it */
    return handover_add(handover, fd);
}

int http_hand_over(struct http *http, struct handover *handover)
{
    int result = hand_over(&http->local, handover);

    if (result == 0)
        http->socket_file.st_ino = 0; /* it goes on being used */
    return result < 0 ? result : hand_over(&http->tcp, handover);
}

/* ---- stop ---- */

/* Only our own: somebody may have taken the path over. */
static void remove_socket(struct http *http)
{
    const char *path = http->config.config->socket;
    struct stat st;

    if (http->socket_file.st_ino != 0 && lstat(path, &st) == 0 &&
        st.st_dev == http->socket_file.st_dev && st.st_ino == http->socket_file.st_ino)
        unlink(path);
}

/* Nothing may be suspended when libmicrohttpd is stopped. Whoever asked the core gets its answer;
 * who does not read it within a moment is cut off. */
static void finish_requests(struct http *http)
{
    int64_t until = clock_mono_us() + LAST_ANSWERS;

    http_lock(http);
    http->stopping = true;
    http_unlock(http);
    followers_wake(http);
    http_lock(http);
    while (http->expected > 0)
        cond_wait(&http->changed, &http->lock);
    while (http->active > 0 && cond_wait_until(&http->changed, &http->lock, until))
        continue;
    http_unlock(http);
}

static void stop_listener(struct listener *listener)
{
    if (listener->daemon)
        MHD_stop_daemon(listener->daemon);
    if (listener->handed_over > 0)
        close(listener->handed_over);
}

void http_stop(struct http *http)
{
    if (!http)
        return;
    remove_socket(http);
    finish_requests(http);
    stop_listener(&http->local);
    stop_listener(&http->tcp);
    patience_deinit(&http->patience);
    status_cache_deinit(&http->status);
    tls_deinit(&http->tls);
    auth_deinit(&http->auth);
    cond_deinit(&http->changed);
    lock_deinit(&http->lock);
    free(http);
}
