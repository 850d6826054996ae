#include "origin.h"

#include "hostname.h"

#include <string.h>
#include <strings.h>

struct place {
    char scheme[8];
    char host[HOSTNAME_MAX], port[6];
};

static const char *usual_port(const char *scheme)
{
    return strcmp(scheme, "https") == 0 ? "443" : "80";
}

/* "null" and whatever is not of the web are no place. */
static bool parse_origin(const char *text, struct place *ret_place)
{
    static const char *const schemes[] = {"http", "https"};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t len = strlen(schemes[i]);

        if (strncasecmp(text, schemes[i], len) != 0 || strncmp(text + len, "://", 3) != 0)
            continue;
        strcpy(ret_place->scheme, schemes[i]);
        return hostname_split(text + len + 3, ret_place->host, ret_place->port);
    }
    return false;
}

static bool is_same(const struct place *place, const struct origin_facts *facts)
{
    char host[HOSTNAME_MAX], port[6];
    const char *usual = usual_port(place->scheme);

    if (facts->scheme && strcmp(place->scheme, facts->scheme) != 0)
        return false;
    if (!facts->host || !hostname_split(facts->host, host, port))
        return false;
    return strcasecmp(place->host, host) == 0 &&
           strcmp(*place->port ? place->port : usual, *port ? port : usual) == 0;
}

static bool is_named(const struct place *place, const struct string_list *names)
{
    return hostname_named(place->host, *place->port ? place->port : usual_port(place->scheme),
                          names);
}

bool origin_allowed(const struct origin_facts *facts, const struct string_list *names)
{
    struct place place;

    if (facts->origin)
        return parse_origin(facts->origin, &place) &&
               (is_same(&place, facts) || is_named(&place, names));
    return !facts->fetch_site || strcasecmp(facts->fetch_site, "same-origin") == 0 ||
           strcasecmp(facts->fetch_site, "none") == 0;
}
