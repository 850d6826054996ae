#include "api.h"

#include "address.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define PEM_MOST (1u << 20)

static struct place place_of(const struct loading *l, const char *key)
{
    return loading_place(l, "api", key);
}

static bool written(const struct loading *l, const char *key)
{
    return place_of(l, key).line > 0;
}

/* ---- TLS ---- */

/* Neither is of use without the other. */
static void check_pair(struct loading *l, const char *key, const char *other)
{
    if (written(l, key) && !written(l, other))
        report_error(l->report, place_of(l, key), key, "TLS needs %s too", other);
}

static void check_pem(struct loading *l, const char *key, const char *path, const char *ending,
                      const char *what)
{
    CLEANUP(freep) char *text = NULL;
    struct error err;
    size_t len;
    int r = file_read(path, PEM_MOST, &text, &len, &err);

    if (r == -EACCES) /* somebody else than the daemon may look at this file too */
        report_warning(l->report, place_of(l, key), key, "%s: it was not looked at", err.text);
    else if (r < 0)
        report_error(l->report, place_of(l, key), key, "%s", err.text);
    else if (strstr(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") ||
             strstr(text, "Proc-Type: 4,ENCRYPTED"))
        report_error(l->report, place_of(l, key), key,
                     "%s is encrypted, and nobody is there to be asked for its password", path);
    else if (!strstr(text, "-----BEGIN ") || !strstr(text, ending))
        report_error(l->report, place_of(l, key), key, "%s holds no %s in PEM form", path, what);
    if (text)
        explicit_bzero(text, len);
}

/* Its group may read it: some systems keep keys that way. */
static void check_secret(struct loading *l, const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && (st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)))
        report_error(l->report, place_of(l, "tls_key"), "tls_key",
                     "%s may %s %s (mode %04o); chmod it 0600",
                     st.st_mode & (S_IROTH | S_IWOTH) ? "anybody" : "its group",
                     st.st_mode & S_IROTH ? "read" : "write", path, st.st_mode & 07777);
}

static void check_tls(struct loading *l, const struct config *c)
{
    check_pair(l, "tls_cert", "tls_key");
    check_pair(l, "tls_key", "tls_cert");
    if (c->tls_cert)
        check_pem(l, "tls_cert", c->tls_cert, " CERTIFICATE-----", "certificate");
    if (c->tls_key) {
        check_pem(l, "tls_key", c->tls_key, " PRIVATE KEY-----", "private key");
        check_secret(l, c->tls_key);
    }
}

/* ---- listen ---- */

bool config_off_loopback(const struct config *config)
{
    CLEANUP(freep) char *copy = config->listen ? strdup(config->listen) : NULL;
    char *host, *port;
    bool six;

    if (!config->listen)
        return false;
    /* Without memory the worse is assumed. */
    return !copy || !address_split(copy, &host, &port, &six) || !address_loopback(host, six);
}

/* Tokens must not go over a wire as plain text unless that is said to be wanted. */
static void check_plain(struct loading *l, const struct config *c)
{
    if (c->allow_plain_http)
        report_warning(l->report, place_of(l, "allow_plain_http"), "allow_plain_http",
                       "%s is not loopback: whoever is on the way can read every token and use it",
                       c->listen);
    else if (!loading_refused(l, "api", "allow_plain_http"))
        report_error(l->report, place_of(l, "listen"), "listen",
                     "%s is not loopback: tokens would go over the wire as plain text; set "
                     "tls_cert and tls_key, or allow_plain_http = yes to have it so",
                     c->listen);
}

static void warn_of_unheard(struct loading *l)
{
    static const char *const keys[] = {"server_names", "tls_cert", "tls_key", "allow_plain_http"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (written(l, keys[i]))
            report_warning(l->report, place_of(l, keys[i]), keys[i],
                           "means nothing without listen, which is not set");
}

static bool every_address(const char *listen)
{
    return strncmp(listen, "0.0.0.0:", 8) == 0 || strncmp(listen, "[::]:", 5) == 0;
}

static void warn_of_listener(struct loading *l, const struct config *c, bool tls)
{
    if (c->allow_plain_http && (tls || !config_off_loopback(c)))
        report_warning(l->report, place_of(l, "allow_plain_http"), "allow_plain_http",
                       "means nothing %s", tls ? "with TLS" : "on loopback");
    if (every_address(c->listen) && !written(l, "server_names"))
        report_warning(l->report, place_of(l, "listen"), "listen",
                       "%s is every address of this host, but without server_names only requests "
                       "to those of loopback are answered",
                       c->listen);
}

void api_check(struct loading *l, const struct config *c)
{
    bool tls = written(l, "tls_cert") || written(l, "tls_key");

    check_tls(l, c);
    if (c->listen) {
        if (config_off_loopback(c) && !tls)
            check_plain(l, c);
        warn_of_listener(l, c, tls);
    } else if (!loading_refused(l, "api", "listen")) {
        warn_of_unheard(l);
    }
}
