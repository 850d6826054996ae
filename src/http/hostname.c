#include "hostname.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool hostname_split(const char *address, char host[static HOSTNAME_MAX], char port[static 6])
{
    const char *begin = address, *end, *colon;

    if (*address == '[') {
        begin = address + 1;
        end = strchr(begin, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return false;
        colon = end + 1;
    } else {
        colon = address + strcspn(address, ":");
        end = colon;
    }
    if (end == begin || end - begin >= HOSTNAME_MAX)
        return false;
    snprintf(host, HOSTNAME_MAX, "%.*s", (int)(end - begin), begin);
    *port = '\0';
    if (*colon == '\0')
        return true;
    if (strlen(colon + 1) > 5 || colon[1] == '\0' ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return false;
    snprintf(port, 6, "%s", colon + 1);
    return true;
}

bool hostname_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (strcasecmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool hostname_named(const char *host, const char *port, const struct string_list *names)
{
    char name[HOSTNAME_MAX], name_port[6];

    for (size_t i = 0; i < names->count; i++)
        if (hostname_split(names->items[i], name, name_port) && strcasecmp(host, name) == 0 &&
            (*name_port == '\0' || strcmp(port, name_port) == 0))
            return true;
    return false;
}

bool hostname_allowed(const char *header, const char *own, const struct string_list *names)
{
    char host[HOSTNAME_MAX], port[6];

    return hostname_split(header, host, port) &&
           (hostname_is_loopback(host) || strcasecmp(host, own) == 0 ||
            hostname_named(host, port, names));
}
