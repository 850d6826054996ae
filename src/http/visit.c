#include "visit.h"

#include "base/fault.h"
#include "base/log.h"
#include "server.h"

#include <stdlib.h>
#include <sys/socket.h>

static const union MHD_ConnectionInfo *look(struct MHD_Connection *connection,
                                            enum MHD_ConnectionInfoType what)
{
    return MHD_get_connection_info(connection, what);
}

struct visit *visit_of(struct MHD_Connection *connection)
{
    return look(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

void visit_stage(struct visit *visit, enum stage stage)
{
    guest_stage(&visit->guest, stage);
}

static struct visit *begin(struct listener *listener, struct MHD_Connection *connection)
{
    int fd = look(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    struct visit *visit = FAULT(socket_accept) ? NULL : calloc(1, sizeof *visit);

    if (!visit) {
        log_error("out of memory: a connection is closed at once");
        shutdown(fd, SHUT_RDWR);
        return NULL;
    }
    if (listener->tls)
        visit->certificate =
            tls_greet(&listener->http->tls,
                      look(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session);
    patience_admit(&listener->http->patience, &visit->guest, fd);
    return visit;
}

static void end(struct visit *visit)
{
    if (!visit)
        return;
    patience_dismiss(&visit->guest);
    certificate_unref(visit->certificate);
    free(visit);
}

void visit_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
                  enum MHD_ConnectionNotificationCode what)
{
    switch (what) {
    case MHD_CONNECTION_NOTIFY_STARTED: *socket_context = begin(cls, connection); break;
    case MHD_CONNECTION_NOTIFY_CLOSED: end(*socket_context); break;
    }
}

static bool is_plain(const char *target, size_t *ret_len)
{
    size_t len = 0;
    bool plain = *target == '/';

    for (; target[len]; len++)
        plain = plain && target[len] > ' ' && target[len] <= '~' && target[len] != '#';
    *ret_len = len;
    return plain;
}

void *visit_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct visit *visit = visit_of(connection);

    (void)cls;
    if (visit) {
        visit->target_plain = is_plain(target, &visit->target_len);
        visit_stage(visit, STAGE_HEAD);
    }
    return NULL; /* what the handler finds as the request's context at first */
}
