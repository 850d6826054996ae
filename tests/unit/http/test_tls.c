#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tls.h"

static char folder[] = "/tmp/orderly-tls-XXXXXX", cert[64], key[64], other_key[64];

static void write_pem(const char *path, const gnutls_datum_t *pem)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(pem->data, 1, pem->size, f), pem->size);
    fclose(f);
    chmod(path, 0600);
}

static gnutls_x509_privkey_t make_key(const char *path)
{
    gnutls_x509_privkey_t made;
    gnutls_datum_t pem;

    assert_int_equal(gnutls_x509_privkey_init(&made), 0);
    assert_int_equal(gnutls_x509_privkey_generate(made, GNUTLS_PK_ECDSA,
                                                  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
                                                  0),
                     0);
    assert_int_equal(gnutls_x509_privkey_export2(made, GNUTLS_X509_FMT_PEM, &pem), 0);
    write_pem(path, &pem);
    gnutls_free(pem.data);
    return made;
}

static void make_certificate(gnutls_x509_privkey_t own, const char *path)
{
    gnutls_x509_crt_t made;
    gnutls_datum_t pem;

    assert_int_equal(gnutls_x509_crt_init(&made), 0);
    gnutls_x509_crt_set_version(made, 3);
    gnutls_x509_crt_set_serial(made, "\1", 1);
    gnutls_x509_crt_set_dn(made, "CN=localhost", NULL);
    gnutls_x509_crt_set_activation_time(made, time(NULL) - 3600);
    gnutls_x509_crt_set_expiration_time(made, time(NULL) + 3600);
    gnutls_x509_crt_set_key(made, own);
    assert_int_equal(gnutls_x509_crt_sign2(made, made, own, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(made, GNUTLS_X509_FMT_PEM, &pem), 0);
    write_pem(path, &pem);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(made);
}

static int make_files(void **state)
{
    gnutls_x509_privkey_t own;

    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(cert, sizeof cert, "%s/cert.pem", folder);
    snprintf(key, sizeof key, "%s/key.pem", folder);
    snprintf(other_key, sizeof other_key, "%s/other.pem", folder);
    gnutls_x509_privkey_deinit(make_key(other_key));
    own = make_key(key);
    make_certificate(own, cert);
    gnutls_x509_privkey_deinit(own);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    unlink(cert);
    unlink(key);
    unlink(other_key);
    return rmdir(folder);
}

static void a_certificate_and_its_key_are_read(void **state)
{
    struct certificate *certificate;
    struct error err = {0};

    (void)state;
    assert_int_equal(certificate_read(cert, key, &certificate, &err), 0);
    certificate_unref(certificate);
    certificate_unref(NULL);
}

static void a_key_of_another_certificate_is_refused(void **state)
{
    struct certificate *certificate;
    struct error err = {0};

    (void)state;
    assert_int_equal(certificate_read(cert, other_key, &certificate, &err), -EINVAL);
    assert_non_null(strstr(err.text, other_key));
}

static void a_key_that_others_may_read_is_refused(void **state)
{
    struct certificate *certificate;
    struct error err = {0};

    (void)state;
    chmod(key, 0644);
    assert_int_equal(certificate_read(cert, key, &certificate, &err), -EACCES);
    assert_non_null(strstr(err.text, "tls_key"));
    chmod(key, 0600);
}

static void what_is_missing_or_no_pem_is_said_with_its_name(void **state)
{
    struct certificate *certificate;
    struct error err = {0};

    (void)state;
    assert_int_equal(certificate_read("/nowhere/cert.pem", key, &certificate, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/nowhere/cert.pem"));
    assert_int_equal(certificate_read(cert, "/nowhere/key.pem", &certificate, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/nowhere/key.pem"));
    assert_int_equal(certificate_read(key, other_key, &certificate, &err), -EINVAL);
}

static void a_session_keeps_the_certificate_that_it_began_with(void **state)
{
    struct tls tls;
    struct error err = {0};
    struct certificate *before, *after;
    gnutls_session_t session;

    (void)state;
    tls_init(&tls);
    assert_int_equal(tls_load(&tls, cert, key, &err), 0);
    assert_int_equal(gnutls_init(&session, GNUTLS_SERVER), 0);
    before = tls_greet(&tls, session);
    assert_non_null(before);
    assert_true(tls_load(&tls, cert, other_key, &err) < 0);
    after = tls_greet(&tls, session);
    assert_ptr_equal(before, after); /* what was wrong changed nothing */
    certificate_unref(after);
    assert_int_equal(tls_load(&tls, cert, key, &err), 0);
    after = tls_greet(&tls, session);
    assert_ptr_not_equal(before, after);
    certificate_unref(after);
    tls_deinit(&tls);
    certificate_unref(before); /* the last: nobody else held it any more */
    gnutls_deinit(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_and_its_key_are_read),
        cmocka_unit_test(a_key_of_another_certificate_is_refused),
        cmocka_unit_test(a_key_that_others_may_read_is_refused),
        cmocka_unit_test(what_is_missing_or_no_pem_is_said_with_its_name),
        cmocka_unit_test(a_session_keeps_the_certificate_that_it_began_with),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
