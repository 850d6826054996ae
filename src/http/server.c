#include "server.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "follower.h"
#include "handle.h"
#include "listen.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTION_MEMORY 16384
#define IDLE_SECONDS      60u
#define POOL_THREADS      2u
#define LOCAL_CONNECTIONS 2048
#define TCP_CONNECTIONS   1024
#define LAST_ANSWERS      (2 * USEC_PER_SEC) /* so long a stop waits for slow readers of answers */

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

/* Takes fd. Signals are main's: libmicrohttpd's threads must not be given any. */
static int start_daemon(struct listener *listener, int fd, struct error *err)
{
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    listener->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL, NULL,
        handle_request, listener, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
        handle_completed, listener, MHD_OPTION_UNESCAPE_CALLBACK, handle_unescape, NULL,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT,
        listener->connections, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
        MHD_OPTION_THREAD_POOL_SIZE, POOL_THREADS, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (listener->daemon)
        return 0;
    close(fd);
    return error_set(err, -ENOMEM, "start the HTTP server: out of memory or of threads");
}

static int load_tokens(struct http *http, struct error *err)
{
    const char *path = http->config.config->token_file;
    int line, result = auth_load(&http->auth, path, &line, err);

    if (result < 0 && line > 0)
        error_prefix(err, "%s:%d", path, line);
    else if (result < 0)
        error_prefix(err, "%s", path);
    return result;
}

static int make_tokens(struct http *http, struct error *err)
{
    const char *path = http->config.config->token_file;
    int result = tokens_make(path, err);

    if (result == 0)
        log_info("made %s with a token for the API over TCP", path);
    return result == -EEXIST ? 0 : result;
}

/* Everything that may be refused comes first, and then the threads. */
static int open_listeners(struct http *http, struct error *err)
{
    const struct config *config = http->config.config;
    CLEANUP(closep) int tcp = -1;
    int local, result = 0;

    if (config->listen) {
        result = make_tokens(http, err);
        if (result == 0)
            result = load_tokens(http, err);
        if (result == 0)
            result = listen_tcp(config->listen, http->tcp.host, &tcp, err);
    }
    if (result == 0)
        result = listen_unix(config->socket, config->group, &local, &http->socket_file, err);
    if (result == 0)
        result = start_daemon(&http->local, local, err);
    if (result == 0 && config->listen)
        result = start_daemon(&http->tcp, take_fd(&tcp), err);
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
    http->tcp = (struct listener){.http = http, .connections = TCP_CONNECTIONS};
    auth_init(&http->auth);
    status_cache_init(&http->status);
    lock_init(&http->lock);
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

int http_reload_tokens(struct http *http, struct error *err)
{
    return http->config.config->listen ? load_tokens(http, err) : 0;
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

void http_stop(struct http *http)
{
    if (!http)
        return;
    remove_socket(http);
    finish_requests(http);
    if (http->local.daemon)
        MHD_stop_daemon(http->local.daemon);
    if (http->tcp.daemon)
        MHD_stop_daemon(http->tcp.daemon);
    status_cache_deinit(&http->status);
    auth_deinit(&http->auth);
    cond_deinit(&http->changed);
    lock_deinit(&http->lock);
    free(http);
}
