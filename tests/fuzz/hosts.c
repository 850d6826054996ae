/* Whom a request is meant for and whose page asks: the headers Host, Origin and Sec-Fetch-Site, a
 * line each, then the scheme. Only what names us may be let in. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "hostname.h"
#include "origin.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define OWN "192.0.2.1"

static char *names[] = {"orderly.example", "[2001:db8::1]:8091", NULL};
static const struct string_list named = {names, 2};

/* Put together again it is taken apart the same. */
static void check_split(const char *text)
{
    char host[HOSTNAME_MAX], port[6], again[HOSTNAME_MAX + 16], host2[HOSTNAME_MAX], port2[6];
    bool six;

    if (!hostname_split(text, host, port))
        return;
    CHECK(*host && strlen(host) < HOSTNAME_MAX, "%s has no host", text);
    CHECK(strspn(port, "0123456789") == strlen(port), "%s has port %s", text, port);
    six = text[0] == '[';
    snprintf(again, sizeof again, "%s%s%s%s%s", six ? "[" : "", host, six ? "]" : "",
             *port ? ":" : "", port);
    CHECK(hostname_split(again, host2, port2), "%s", again);
    CHECK(strcmp(host, host2) == 0 && strcmp(port, port2) == 0, "%s became %s", text, again);
}

static void check_allowed(const char *header)
{
    char host[HOSTNAME_MAX], port[6];

    if (!hostname_allowed(header, OWN, &named))
        return;
    CHECK(hostname_split(header, host, port), "%s", header);
    CHECK(hostname_is_loopback(host) || strcasecmp(host, OWN) == 0 ||
              strcasecmp(host, names[0]) == 0 || strcasecmp(host, "2001:db8::1") == 0,
          "%s is let in", header);
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = input_of(data, size);
    CLEANUP(freep) char *host = input_line(&input);
    CLEANUP(freep) char *origin = input_line(&input);
    CLEANUP(freep) char *site = input_line(&input);
    CLEANUP(freep) char *scheme = input_line(&input);
    const struct origin_facts facts = {
        .host = or_null(host),
        .origin = or_null(origin),
        .fetch_site = or_null(site),
        .scheme = or_null(scheme),
    };

    check_split(host);
    check_allowed(host);
    if (origin_allowed(&facts, &named) && facts.origin)
        CHECK(strncasecmp(origin, "http", 4) == 0, "%s is of the web", origin);
    return 0;
}
