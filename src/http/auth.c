#include "auth.h"

#include "base/clock.h"
#include "base/log.h"
#include "exchange.h"
#include "hostname.h"
#include "origin.h"
#include "peer.h"
#include "router.h"
#include "server.h"
#include "visit.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

#define SAID_EVERY USEC_PER_SEC

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
    lock_init(&auth->lock, LOCK_AUTH);
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
    if (!tokens_cover(&fresh, &old))
        atomic_fetch_add(&auth->revoked, 1);
    auth_unlock(auth);
    tokens_deinit(&old);
    return 0;
}

/* ---- the log of what was refused ---- */

/* Whoever comes first after a second says how many there were; nobody waits to say the rest. */
static void note_refusal(struct exchange *x, const char *why)
{
    struct refusals *refusals = &x->listener->refusals;
    int64_t now = clock_mono_us(), said = atomic_load(&refusals->said_mono);
    char peer[64];
    unsigned count;

    atomic_fetch_add(&refusals->unsaid, 1);
    if ((said != 0 && now - said < SAID_EVERY) ||
        !atomic_compare_exchange_strong(&refusals->said_mono, &said, now))
        return;
    count = atomic_exchange(&refusals->unsaid, 0);
    peer_describe(x->fd, peer);
    log_warning("%s: refused %u request%s, the last one from %s: %s",
                x->listener->unix_socket ? "Unix socket" : "TCP", count, count == 1 ? "" : "s",
                peer, why);
}

/* ---- who ---- */

/* The socket's mode and group have let the peer in; both may have been changed behind our back. Who
 * it is was settled when it connected. */
static bool identify_peer(struct exchange *x)
{
    struct identity *peer = &x->visit->peer;
    struct error err = {0};

    if (peer->name[0] == '\0' && peer_identify(x->fd, x->http->group, peer, &err) < 0) {
        exchange_problem(x, PROBLEM_UNAUTHENTICATED, "the kernel does not say who asks: %s",
                         err.text);
        return false;
    }
    x->who = *peer;
    if (x->who.role != ROLE_NONE)
        return true;
    exchange_problem(x, PROBLEM_FORBIDDEN,
                     "%s is neither root, nor the daemon's own user, nor in the group of the API",
                     x->who.name);
    note_refusal(x, "not in the group of the API");
    return false;
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
    const char *why =
        header ? "the token is not known here" : "a token is needed: Authorization: Bearer SECRET";

    if (header && strncasecmp(header, "Bearer ", 7) == 0 &&
        find_token(&x->http->auth, header + 7 + strspn(header + 7, " "), &x->who))
        return true;
    exchange_problem(x, PROBLEM_UNAUTHENTICATED, "%s", why);
    exchange_header(x, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                    header ? "Bearer realm=\"orderly\", error=\"invalid_token\""
                           : "Bearer realm=\"orderly\"");
    note_refusal(x, header ? "the token is not known" : "no token");
    return false;
}

bool auth_identify(struct exchange *x)
{
    return x->listener->unix_socket ? identify_peer(x) : identify_bearer(x);
}

/* ---- whom they mean ---- */

static const char *header_of(struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

/* Behind a Unix socket there may be a proxy, which knows the name and the scheme that we don't. */
static bool check_origin(struct exchange *x)
{
    const struct listener *listener = x->listener;
    const struct origin_facts facts = {
        .origin = header_of(x, MHD_HTTP_HEADER_ORIGIN),
        .fetch_site = header_of(x, "Sec-Fetch-Site"),
        .host = header_of(x, MHD_HTTP_HEADER_HOST),
        .scheme = listener->unix_socket ? NULL
                  : listener->tls       ? "https"
                                        : "http",
    };

    if ((x->route && x->route->role == ROLE_NONE) ||
        origin_allowed(&facts, &x->http->config.config->server_names))
        return true;
    exchange_problem(x, PROBLEM_FORBIDDEN,
                     "a page from elsewhere asks; [api] server_names says which hosts are ours");
    note_refusal(x, "a page from elsewhere asked");
    return false;
}

bool auth_check_host(struct exchange *x)
{
    const char *header = header_of(x, MHD_HTTP_HEADER_HOST);

    if (x->listener->unix_socket || !header ||
        hostname_allowed(header, x->listener->host, &x->http->config.config->server_names))
        return check_origin(x);
    exchange_problem(x, PROBLEM_FORBIDDEN,
                     "this is not \"%.200s\": ask for localhost or %s, or add it to [api] "
                     "server_names",
                     header, x->listener->host);
    note_refusal(x, "it was meant for another host");
    return false;
}
