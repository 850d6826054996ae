#include "auth.h"

#include "exchange.h"
#include "hostname.h"
#include "server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

struct lock_class auth_lock_class;

static void auth_lock(struct auth *auth) ACQUIRE(auth_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&auth->lock);
}

static void auth_unlock(struct auth *auth) RELEASE(auth_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&auth->lock);
}

void auth_init(struct auth *auth) NO_THREAD_SAFETY_CHECK
{
    *auth = (struct auth){0};
    lock_init(&auth->lock);
}

void auth_deinit(struct auth *auth) NO_THREAD_SAFETY_CHECK
{
    tokens_deinit(&auth->tokens);
    lock_deinit(&auth->lock);
}

int auth_load(struct auth *auth, const char *path, int *ret_line, struct error *err)
{
    struct tokens fresh, old;
    int result = tokens_read(path, &fresh, ret_line, err);

    if (result < 0)
        return result;
    auth_lock(auth);
    old = auth->tokens;
    auth->tokens = fresh;
    auth_unlock(auth);
    tokens_deinit(&old);
    return 0;
}

/* The socket's mode and group have let the peer in; the kernel says who it is. */
static bool identify_peer(struct exchange *x)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (getsockopt(x->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) {
        exchange_problem(x, PROBLEM_UNAUTHENTICATED, "the kernel does not say who asks");
        return false;
    }
    snprintf(x->who.name, sizeof x->who.name, "uid:%u", peer.uid);
    x->who.role = ROLE_ADMIN;
    return true;
}

static bool find_token(struct auth *auth, const char *secret, struct identity *ret_identity)
{
    bool found;

    auth_lock(auth);
    found = tokens_find(&auth->tokens, secret, ret_identity);
    auth_unlock(auth);
    return found;
}

static bool identify_bearer(struct exchange *x)
{
    const char *header =
        MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);

    if (header && strncasecmp(header, "Bearer ", 7) == 0 &&
        find_token(&x->http->auth, header + 7 + strspn(header + 7, " "), &x->who))
        return true;
    exchange_problem(x, PROBLEM_UNAUTHENTICATED,
                     header ? "the token is not known here"
                            : "a token is needed: Authorization: Bearer SECRET");
    exchange_header(x, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                    header ? "Bearer realm=\"orderly\", error=\"invalid_token\""
                           : "Bearer realm=\"orderly\"");
    return false;
}

bool auth_identify(struct exchange *x)
{
    return x->listener->unix_socket ? identify_peer(x) : identify_bearer(x);
}

bool auth_check_host(struct exchange *x)
{
    const char *header =
        MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);

    if (x->listener->unix_socket || !header || hostname_allowed(header, x->listener->host))
        return true;
    exchange_problem(x, PROBLEM_FORBIDDEN, "this is not \"%.200s\": ask for localhost or %s",
                     header, x->listener->host);
    return false;
}
