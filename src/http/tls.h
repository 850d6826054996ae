/* tls - the certificate that the TCP listener shows, and its key. Each connection keeps the one
 * that it began with, so a reload disturbs nobody.
 *
 * Threads: any; one lock (a leaf) guards which is the current one. Ownership: counted references:
 * the listener holds the current one, every connection its own. */
#pragma once

#include "base/error.h"
#include "base/lock.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdatomic.h>

extern struct lock_class tls_lock_class;

/* What may be spoken: TLS 1.2 and 1.3. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

struct certificate {
    atomic_int references;
    gnutls_certificate_credentials_t credentials;
};

/* Reads both PEM files; they must belong together, and the key be nobody else's to read. */
int certificate_read(const char *cert, const char *key, struct certificate **ret_certificate,
                     struct error *err);
void certificate_unref(struct certificate *certificate); /* NULL is fine */

struct tls {
    struct lock lock;
    struct certificate *current GUARDED_BY(tls_lock_class); /* NULL: none yet */
};

void tls_init(struct tls *tls);
void tls_deinit(struct tls *tls);
/* certificate_read(); when that fails the current one stays. */
int tls_load(struct tls *tls, const char *cert, const char *key, struct error *err)
    EXCLUDES(tls_lock_class);
/* Gives a new session the current certificate; hold it until the session has ended. NULL: it has
 * none, and its handshake will fail. */
struct certificate *tls_greet(struct tls *tls, gnutls_session_t session) EXCLUDES(tls_lock_class);
/* For libmicrohttpd, which must be told of some certificate: a session without one of its own is
 * refused. */
gnutls_certificate_retrieve_function2 tls_refuse;
