/* visit - one connection, from its opening to its end: how far its peer is, and, over TLS, the
 * certificate that it began with.
 *
 * Threads: the connection's (they are libmicrohttpd's callbacks); `guest` is looked at by the
 * watcher's thread too. Ownership: libmicrohttpd's, until it tells that the connection is closed.
 */
#pragma once

#include "model/identity.h"
#include "patience.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

struct certificate;

struct visit {
    struct guest guest;
    struct certificate *certificate; /* NULL: no TLS */
    struct identity peer;            /* of a Unix socket, once asked for; else "" */
    size_t target_len;               /* of the request that is under way, as it was sent */
    bool target_plain;               /* visible ASCII that begins with / and has no fragment */
    bool last;                       /* the connection ends with the answer */
};

/* NULL: there was no memory for it, and the connection is being closed. */
struct visit *visit_of(struct MHD_Connection *connection);
void visit_stage(struct visit *visit, enum stage stage);

/* MHD_OPTION_NOTIFY_CONNECTION; the context is the listener. */
void visit_notify(void *listener, struct MHD_Connection *connection, void **socket_context,
                  enum MHD_ConnectionNotificationCode what);
/* MHD_OPTION_URI_LOG_CALLBACK: the request line is there, as it was sent. */
void *visit_target(void *listener, const char *target, struct MHD_Connection *connection);
