#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

#include <stdlib.h>
#include <unistd.h>

#define CERT "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
#define KEY  "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"

static void put(const struct scratch *s, const char *name, const char *text, mode_t mode)
{
    char path[128];

    scratch_write(s, name, text, strlen(text));
    snprintf(path, sizeof path, "%s/%s", s->folder, name);
    assert_int_equal(chmod(path, mode), 0);
}

/* [api] with this text, beside a certificate and a key that are good. */
static struct config *load(struct scratch *s, const char *text)
{
    char *all;

    assert_true(asprintf(&all, "[api]\n%s", text) > 0);
    scratch_open(s, all);
    put(s, "cert.pem", CERT, 0644);
    put(s, "key.pem", KEY, 0600);
    free(all);
    return scratch_config(s);
}

static void close_all(struct scratch *s, struct config *config)
{
    config_free(config);
    scratch_close(s);
}

static void expect_good(const char *text)
{
    struct scratch s;
    struct config *c = load(&s, text);

    if (!c || s.problems.count > 0)
        fail_msg("%s: %s", text, s.problems.items[0].message);
    close_all(&s, c);
}

static void expect_error(const char *text, const char *says)
{
    struct scratch s;
    struct config *c = load(&s, text);

    if (c)
        fail_msg("%s was taken", text);
    scratch_expect(&s, says);
    assert_int_equal(problems_errors(&s.problems), 1);
    close_all(&s, c);
}

static void expect_warning(const char *text, const char *says)
{
    struct scratch s;
    struct config *c = load(&s, text);

    assert_non_null(c);
    scratch_expect(&s, says);
    close_all(&s, c);
}

static void tcp_takes_addresses_in_numbers(void **state)
{
    static const struct {
        const char *text, *gives; /* NULL: refused */
    } examples[] = {
        {"127.0.0.1:8700", "127.0.0.1:8700"},
        {"127.9.9.9:1", "127.9.9.9:1"},
        {"[::1]:65535", "[::1]:65535"},
        {"localhost:80", "127.0.0.1:80"},
        {"8700", "127.0.0.1:8700"},
        {"nowhere:80", NULL},
        {"127.0.0.1", NULL},
        {"127.0.0.1:0", NULL},
        {"127.0.0.1:65536", NULL},
        {"127.0.0.1:", NULL},
        {":80", NULL},
        {"::1:80", NULL},
        {"[::1]", NULL},
        {"[127.0.0.1]:80", NULL},
        {"]:80", NULL},
        {"70000", NULL},
        {"0.0.0.0.0:80", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct config *c;
        struct scratch s;
        char text[80];

        snprintf(text, sizeof text, "listen = %s\n", examples[i].text);
        c = load(&s, text);
        if (examples[i].gives && c) {
            assert_string_equal(c->listen, examples[i].gives);
            assert_false(config_off_loopback(c));
        } else if (examples[i].gives || c) {
            fail_msg("%s was %s", examples[i].text, c ? "taken" : "refused");
        } else {
            scratch_expect(&s, ":2:10: error: listen: expected ADDRESS:PORT in numbers");
        }
        close_all(&s, c);
    }
}

static void off_loopback_without_tls_is_refused_and_both_ways_out_are_named(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        static const char *const listens[] = {"0.0.0.0:80", "[::]:80", "192.168.1.1:80",
                                              "[::ffff:127.0.0.1]:80"};
        char text[80], says[160];

        snprintf(text, sizeof text, "listen = %s\n", listens[i]);
        snprintf(says, sizeof says,
                 "/supervisor.conf:2:10: error: listen: %s is not loopback: tokens would go over",
                 listens[i]);
        expect_error(text, says);
        expect_error(text, "set tls_cert and tls_key, or allow_plain_http = yes");
    }
    expect_error("listen = 10.0.0.1:80\nallow_plain_http = no\n", "is not loopback");
}

static void said_to_be_wanted_it_is_a_warning(void **state)
{
    struct scratch s;
    struct config *c = load(&s, "listen = 10.0.0.1:80\nallow_plain_http = yes\n");

    (void)state;
    assert_non_null(c);
    assert_true(config_off_loopback(c));
    assert_true(c->allow_plain_http);
    assert_int_equal(s.problems.count, 1);
    scratch_expect(&s, "/supervisor.conf:3:20: warning: allow_plain_http: 10.0.0.1:80 is not "
                       "loopback: whoever is on the way can read every token");
    close_all(&s, c);
}

static void with_tls_any_address_is_fine(void **state)
{
    struct scratch s;
    struct config *c = load(&s, "listen = 0.0.0.0:443\nserver_names = web.example\n"
                                "tls_cert = cert.pem\ntls_key = key.pem\n");

    (void)state;
    assert_non_null(c);
    assert_int_equal(s.problems.count, 0);
    assert_string_equal(c->tls_cert + strlen(s.folder), "/cert.pem");
    assert_string_equal(c->tls_key + strlen(s.folder), "/key.pem");
    close_all(&s, c);
    expect_good("listen = 127.0.0.1:443\ntls_cert = cert.pem\ntls_key = key.pem\n");
}

static void one_file_of_tls_without_the_other_is_refused(void **state)
{
    (void)state;
    expect_error("listen = 0.0.0.0:443\ntls_cert = cert.pem\n",
                 ":3:12: error: tls_cert: TLS needs tls_key too");
    expect_error("listen = 1\ntls_key = key.pem\n",
                 ":3:11: error: tls_key: TLS needs tls_cert too");
}

static void files_that_are_no_certificate_and_key_are_refused(void **state)
{
    (void)state;
    expect_error("listen = 1\ntls_cert = none.pem\ntls_key = key.pem\n",
                 ":3:12: error: tls_cert: open ");
    expect_error("listen = 1\ntls_cert = .\ntls_key = key.pem\n", "is not a regular file");
    expect_error("listen = 1\ntls_cert = key.pem\ntls_key = key.pem\n",
                 "/key.pem holds no certificate in PEM form");
    expect_error("listen = 1\ntls_cert = cert.pem\ntls_key = supervisor.conf\n",
                 "/supervisor.conf holds no private key in PEM form");
}

/* Whoever takes the messages elsewhere than to problems_print() counts on that. */
static void a_tab_in_a_path_is_none_in_the_message(void **state)
{
    struct scratch s;
    struct config *c = load(&s, "listen = 1\ntls_cert = a\tb\ntls_key = key.pem\n");

    (void)state;
    assert_null(c);
    assert_int_equal(s.problems.count, 1);
    assert_non_null(strstr(s.problems.items[0].message, "/a?b: No such file"));
    close_all(&s, c);
}

static void expect_key_refused(const char *text, mode_t mode, const char *says)
{
    struct scratch s;

    scratch_open(&s, "[api]\nlisten = 1\ntls_cert = cert.pem\ntls_key = key.pem\n");
    put(&s, "cert.pem", CERT, 0644);
    put(&s, "key.pem", text, mode);
    assert_null(scratch_config(&s));
    assert_int_equal(problems_errors(&s.problems), 1);
    scratch_expect(&s, says);
    scratch_close(&s);
}

static void a_key_that_others_may_read_or_that_is_locked_is_refused(void **state)
{
    (void)state;
    expect_key_refused(KEY, 0644, ":4:11: error: tls_key: anybody may read ");
    expect_key_refused(KEY, 0602, "anybody may write ");
    expect_key_refused(KEY, 0660, "its group may write ");
    expect_key_refused("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMI\n"
                       "-----END ENCRYPTED PRIVATE KEY-----\n",
                       0600, "is encrypted, and nobody is there");
}

/* Whoever looks for the daemon's socket reads its configuration too. */
static void a_key_that_we_may_not_read_is_no_error(void **state)
{
    struct config *c;
    struct scratch s;
    char path[80];

    (void)state;
    if (geteuid() != 0)
        skip();
    scratch_open(&s, "[daemon]\nstate_dir = /s\nruntime_dir = /r\nlog_dir = /l\n[api]\n"
                     "listen = 1\ntls_cert = cert.pem\ntls_key = key.pem\n");
    put(&s, "cert.pem", CERT, 0644);
    put(&s, "key.pem", KEY, 0600);
    snprintf(path, sizeof path, "%s/supervisor.conf", s.folder);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(seteuid(65534), 0);
    c = scratch_config(&s);
    assert_int_equal(seteuid(0), 0);
    assert_non_null(c);
    scratch_expect(&s, "/supervisor.conf:8:11: warning: tls_key: open ");
    scratch_expect(&s, "Permission denied: it was not looked at");
    close_all(&s, c);
}

static void keys_without_effect_are_warned_of(void **state)
{
    (void)state;
    expect_warning("tls_cert = cert.pem\ntls_key = key.pem\n",
                   ":2:12: warning: tls_cert: means nothing without listen");
    expect_warning("server_names = a\nlisten =\n",
                   ":2:16: warning: server_names: means nothing without listen");
    expect_warning("listen = 1\nallow_plain_http = yes\n",
                   "warning: allow_plain_http: means nothing on loopback");
    expect_warning("listen = 10.0.0.1:1\nallow_plain_http = yes\ntls_cert = cert.pem\n"
                   "tls_key = key.pem\n",
                   "warning: allow_plain_http: means nothing with TLS");
    expect_warning("listen = 0.0.0.0:1\ntls_cert = cert.pem\ntls_key = key.pem\n",
                   "without server_names only requests to those of loopback");
}

static void names_of_the_host_are_put_into_one_form(void **state)
{
    static const struct {
        const char *text, *gives; /* NULL: refused */
    } examples[] = {
        {"Web.Example", "web.example"},
        {"web:8443", "web:8443"},
        {"a-b.c_d.e1", "a-b.c_d.e1"},
        {"10.0.0.1", "10.0.0.1"},
        {"10.0.0.1:80", "10.0.0.1:80"},
        {"2001:DB8:0::1", "[2001:db8::1]"},
        {"[2001:db8::1]", "[2001:db8::1]"},
        {"[2001:DB8:0:0::1]:443", "[2001:db8::1]:443"},
        {"*.example", NULL},
        {"-a", NULL},
        {"a-", NULL},
        {"a..b", NULL},
        {".a", NULL},
        {"a.", NULL},
        {"10.0.0.300", NULL},
        {"web:0", NULL},
        {"web:99999", NULL},
        {"web:", NULL},
        {"web:80:80", NULL},
        {"[::1", NULL},
        {"[::1]x", NULL},
        {"[web]:80", NULL},
        {"[]", NULL},
        {"http://web", NULL},
        {"[10.0.0.1]", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct config *c;
        struct scratch s;
        char text[80];

        snprintf(text, sizeof text, "listen = 1\nserver_names = ok, %s\n", examples[i].text);
        c = load(&s, text);
        if (examples[i].gives && c) {
            assert_int_equal(c->server_names.count, 2);
            assert_string_equal(c->server_names.items[1], examples[i].gives);
        } else if (examples[i].gives || c) {
            fail_msg("%s was %s", examples[i].text, c ? "taken" : "refused");
        } else {
            scratch_expect(&s, ":3:20: error: server_names: ");
            scratch_expect(&s, "is no host name or address");
        }
        close_all(&s, c);
    }
}

static void of_server_names_the_wrong_one_is_shown(void **state)
{
    struct scratch s;
    struct config *c = load(&s, "listen = 1\nserver_names = b.a-x, a-\n");

    (void)state;
    assert_null(c);
    scratch_expect(&s, ":3:23: error: server_names: \"a-\" is no host name");
    close_all(&s, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_takes_addresses_in_numbers),
        cmocka_unit_test(off_loopback_without_tls_is_refused_and_both_ways_out_are_named),
        cmocka_unit_test(said_to_be_wanted_it_is_a_warning),
        cmocka_unit_test(with_tls_any_address_is_fine),
        cmocka_unit_test(one_file_of_tls_without_the_other_is_refused),
        cmocka_unit_test(files_that_are_no_certificate_and_key_are_refused),
        cmocka_unit_test(a_tab_in_a_path_is_none_in_the_message),
        cmocka_unit_test(a_key_that_others_may_read_or_that_is_locked_is_refused),
        cmocka_unit_test(a_key_that_we_may_not_read_is_no_error),
        cmocka_unit_test(keys_without_effect_are_warned_of),
        cmocka_unit_test(names_of_the_host_are_put_into_one_form),
        cmocka_unit_test(of_server_names_the_wrong_one_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
