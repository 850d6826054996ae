/* bare_http - the least that libmicrohttpd does for the same answers: in the mode that Orderly uses
 * it in, a fixed body of a given size with an entity tag; 304 to whoever knows the tag. GET with
 * `since` waits for the next change and is answered with a body of another size, written once for
 * all who wait; POST is a change.
 *
 * Ends at SIGTERM. Threads: main waits; libmicrohttpd's answer. Ownership: a response belongs to
 * whoever holds a reference. */
#include "measure.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS       2048u
#define CONNECTION_MEMORY 16384
#define POOL_THREADS      2u
#define BACKLOG           1024
#define TAG               "\"bare\""

struct waiter {
    struct MHD_Connection *connection;
    struct waiter *next;
};

/* Fixed after the start. */
static struct MHD_Response *whole, *unchanged, *done;
static size_t delta_size;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct MHD_Response *delta; /* of the last change */
static struct waiter *waiters;
static long changes;

/* What Orderly's answers say too. Takes body. */
static struct MHD_Response *answer_of(char *body, size_t size)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);

    if (!response || MHD_add_response_header(response, "Cache-Control", "no-cache") == MHD_NO ||
        MHD_add_response_header(response, "ETag", TAG) == MHD_NO ||
        (size > 0 &&
         (MHD_add_response_header(response, "Content-Type", "application/json") == MHD_NO ||
          MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") == MHD_NO)))
        die("out of memory");
    return response;
}

static struct MHD_Response *revision_of(long number, size_t size)
{
    char *body = malloc(size + 64);
    int len;

    if (!body)
        die("out of memory");
    len = snprintf(body, 64, "{\"revision\":\"bare-%ld\"}", number);
    if ((size_t)len > size)
        size = (size_t)len;
    memset(body + len, ' ', size - (size_t)len);
    return answer_of(body, size);
}

static enum MHD_Result change(struct MHD_Connection *connection)
{
    struct waiter *woken;

    pthread_mutex_lock(&lock);
    woken = waiters;
    waiters = NULL;
    MHD_destroy_response(delta);
    delta = revision_of(++changes, delta_size);
    pthread_mutex_unlock(&lock);
    while (woken) {
        struct waiter *next = woken->next;

        MHD_resume_connection(woken->connection);
        free(woken);
        woken = next;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, done);
}

static void park(struct MHD_Connection *connection)
{
    struct waiter *waiter = malloc(sizeof *waiter);

    if (!waiter)
        die("out of memory");
    *waiter = (struct waiter){connection, waiters};
    MHD_suspend_connection(connection);
    waiters = waiter;
}

static enum MHD_Result since(struct MHD_Connection *connection, const char *revision)
{
    const char *wait = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "wait");
    const char *number = strrchr(revision, '-');
    enum MHD_Result result = MHD_YES;

    pthread_mutex_lock(&lock);
    if (wait && number && atol(number + 1) == changes)
        park(connection);
    else
        result = MHD_queue_response(connection, MHD_HTTP_OK, delta);
    pthread_mutex_unlock(&lock);
    return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    const char *value;

    (void)context, (void)url, (void)version, (void)upload;
    if (!*state || *upload_size > 0) { /* the head alone, or a body that says nothing */
        *state = connection;
        *upload_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, "POST") == 0)
        return change(connection);
    value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "since");
    if (value)
        return since(connection, value);
    value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "If-None-Match");
    if (value && strcmp(value, TAG) == 0)
        return MHD_queue_response(connection, MHD_HTTP_NOT_MODIFIED, unchanged);
    return MHD_queue_response(connection, MHD_HTTP_OK, whole);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof address.sun_path)
        die("%s is too long for a socket's path", path);
    strcpy(address.sun_path, path);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(fd, BACKLOG) < 0)
        die("listen on %s: %m", path);
    return fd;
}

static void make_answers(size_t size)
{
    whole = revision_of(0, size);
    delta = revision_of(0, delta_size);
    unchanged = answer_of(NULL, 0);
    done = revision_of(0, 0);
}

int main(int argc, char **argv)
{
    struct MHD_Daemon *daemon;
    sigset_t ends;
    int signal;

    if (argc != 4)
        die("usage: bare_http SOCKET SIZE-OF-WHOLE SIZE-OF-CHANGE");
    delta_size = (size_t)number_of(argv[3]);
    make_answers((size_t)number_of(argv[2]));
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    daemon = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC,
                              0, NULL, NULL, handle, NULL, MHD_OPTION_LISTEN_SOCKET,
                              listen_at(argv[1]), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                              (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
                              MHD_OPTION_THREAD_POOL_SIZE, POOL_THREADS, MHD_OPTION_END);
    if (!daemon)
        die("start libmicrohttpd: %m");
    puts("ready");
    fflush(stdout);
    sigwait(&ends, &signal);
    return 0; /* whoever is parked goes with it */
}
