#include "tls.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "secret.h"

#include <errno.h>
#include <string.h>

#define PEM_LIMIT (1 << 20)

struct lock_class tls_lock_class;

static void tls_lock(struct tls *tls) ACQUIRE(tls_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&tls->lock);
}

static void tls_unlock(struct tls *tls) RELEASE(tls_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&tls->lock);
}

/* ---- one certificate ---- */

static void certificate_ref(struct certificate *certificate)
{
    atomic_fetch_add(&certificate->references, 1);
}

void certificate_unref(struct certificate *certificate)
{
    if (!certificate || atomic_fetch_sub(&certificate->references, 1) > 1)
        return;
    gnutls_certificate_free_credentials(certificate->credentials);
    free(certificate);
}

static int make(const gnutls_datum_t *cert, const gnutls_datum_t *key,
                struct certificate **ret_certificate, int *ret_trouble)
{
    struct certificate *certificate = calloc(1, sizeof *certificate);

    if (!certificate)
        return -ENOMEM;
    atomic_init(&certificate->references, 1);
    if (gnutls_certificate_allocate_credentials(&certificate->credentials) < 0) {
        free(certificate);
        return -ENOMEM;
    }
    *ret_trouble = gnutls_certificate_set_x509_key_mem2(certificate->credentials, cert, key,
                                                        GNUTLS_X509_FMT_PEM, NULL, 0);
    if (*ret_trouble < 0) {
        certificate_unref(certificate);
        return -EINVAL;
    }
    *ret_certificate = certificate;
    return 0;
}

int certificate_read(const char *cert, const char *key, struct certificate **ret_certificate,
                     struct error *err)
{
    CLEANUP(freep) char *cert_text = NULL;
    char *key_text = NULL;
    size_t cert_len, key_len;
    int result, trouble = 0;

    result = file_read(cert, PEM_LIMIT, &cert_text, &cert_len, err);
    if (result < 0)
        return error_prefix(err, "tls_cert");
    result = secret_read(key, PEM_LIMIT, &key_text, &key_len, err);
    if (result < 0)
        return error_prefix(err, "tls_key %s", key);
    result = make(&(gnutls_datum_t){(unsigned char *)cert_text, (unsigned)cert_len},
                  &(gnutls_datum_t){(unsigned char *)key_text, (unsigned)key_len}, ret_certificate,
                  &trouble);
    secret_free(key_text, key_len);
    if (result == -ENOMEM)
        return error_set(err, result, "read the certificate: %m");
    if (result < 0)
        return error_set(err, result, "tls_cert %s and tls_key %s: %s", cert, key,
                         gnutls_strerror(trouble));
    return 0;
}

/* ---- the current one ---- */

void tls_init(struct tls *tls) NO_THREAD_SAFETY_CHECK
{
    *tls = (struct tls){0};
    lock_init(&tls->lock, LOCK_TLS);
}

void tls_deinit(struct tls *tls) NO_THREAD_SAFETY_CHECK
{
    certificate_unref(tls->current);
    lock_deinit(&tls->lock);
}

int tls_load(struct tls *tls, const char *cert, const char *key, struct error *err)
{
    struct certificate *fresh, *old;
    int result = certificate_read(cert, key, &fresh, err);

    if (result < 0)
        return result;
    tls_lock(tls);
    old = tls->current;
    tls->current = fresh;
    tls_unlock(tls);
    certificate_unref(old);
    return 0;
}

struct certificate *tls_greet(struct tls *tls, gnutls_session_t session)
{
    struct certificate *certificate;

    tls_lock(tls);
    certificate = tls->current;
    certificate_ref(certificate);
    tls_unlock(tls);
    if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, certificate->credentials) == 0)
        return certificate;
    certificate_unref(certificate);
    return NULL;
}

int tls_refuse(gnutls_session_t session, const gnutls_datum_t *names, int name_count,
               const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
               gnutls_pcert_st **certificates, unsigned *certificate_count, gnutls_privkey_t *key)
{
    (void)session, (void)names, (void)name_count, (void)algorithms, (void)algorithm_count;
    (void)certificates, (void)certificate_count, (void)key;
    return -1;
}
