#include "listener.h"

#include "base/fault.h"
#include "handle.h"
#include "server.h"
#include "visit.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#define CONNECTION_MEMORY 16384
#define POOL_THREADS      2u

/* Not epoll: when that gives libmicrohttpd (up to 1.0 too) just the 128 events that fit, it waits
 * for more before it looks at them, for ever if none come: 128 requests stand still, and whoever
 * is to be resumed. Who is suspended is not polled for, so a thousand long polls cost nothing. */
static unsigned flags_of(const struct listener *listener)
{
    return MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
           (listener->tls ? MHD_USE_TLS : 0);
}

/* One address may hold half of the TCP listener, so that it can't keep everybody out. The
 * certificate itself is given to each connection by visit_notify(). */
static void options_of(const struct listener *listener, struct MHD_OptionItem options[4])
{
    size_t count = 0;

    if (!listener->unix_socket)
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                                   listener->connections / 2, NULL};
    if (listener->tls) {
        options[count++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES};
        options[count++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)tls_refuse};
    }
    options[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
}

/* Signals are main's: libmicrohttpd's threads must not be given any. */
int listener_start(struct listener *listener, int fd, struct error *err)
{
    struct MHD_OptionItem options[4];
    sigset_t all, old;

    options_of(listener, options);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    listener->daemon =
        FAULT(http_start)
            ? NULL
            : MHD_start_daemon(flags_of(listener), 0, NULL, NULL, handle_request, listener,
                               MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_CONNECTION,
                               visit_notify, listener, MHD_OPTION_URI_LOG_CALLBACK, visit_target,
                               listener, MHD_OPTION_NOTIFY_COMPLETED, handle_completed, listener,
                               MHD_OPTION_UNESCAPE_CALLBACK, handle_unescape, NULL,
                               MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
                               MHD_OPTION_CONNECTION_LIMIT, listener->connections,
                               MHD_OPTION_THREAD_POOL_SIZE, POOL_THREADS, MHD_OPTION_ARRAY, options,
                               MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (listener->daemon)
        return 0;
    close(fd);
    return error_set(err, -ENOMEM, "start the HTTP server: out of memory or of threads");
}
