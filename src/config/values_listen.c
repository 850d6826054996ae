/* values_listen - the address of the TCP listener: numbers only, and only on loopback. */
#include "base/cleanup.h"
#include "base/units.h"
#include "loading.h"
#include "values.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool port_valid(const char *port)
{
    int64_t number;

    return units_parse_int(port, &number) == 0 && number >= 1 && number <= 65535;
}

enum host_kind { HOST_LOOPBACK, HOST_ELSEWHERE, HOST_NONE };

static enum host_kind judge_host(const char *host, bool six)
{
    struct in6_addr v6;
    struct in_addr v4;

    if (six)
        return inet_pton(AF_INET6, host, &v6) != 1 ? HOST_NONE
               : IN6_IS_ADDR_LOOPBACK(&v6)         ? HOST_LOOPBACK
                                                   : HOST_ELSEWHERE;
    if (inet_pton(AF_INET, host, &v4) != 1)
        return HOST_NONE;
    return ntohl(v4.s_addr) >> 24 == 127 ? HOST_LOOPBACK : HOST_ELSEWHERE;
}

/* "[::1]:80" or "127.0.0.1:80", taken apart in place; false: it is neither. */
static bool take_apart(char *text, char **ret_host, char **ret_port, bool *ret_six)
{
    char *colon = strrchr(text, ':');

    if (!colon || colon == text)
        return false;
    *ret_six = text[0] == '[';
    if (*ret_six ? colon[-1] != ']' : strchr(text, ':') != colon)
        return false;
    colon[*ret_six ? -1 : 0] = '\0';
    *ret_host = text + *ret_six;
    *ret_port = colon + 1;
    return true;
}

static void put(const struct setting *s, bool six, const char *host, const char *port)
{
    struct text t = {0};

    text_appendf(&t, six ? "[%s]:%s" : "%s:%s", host, port);
    setting_put_string(s, text_take(&t));
}

static void set_listen(const struct setting *s)
{
    CLEANUP(freep) char *copy = strdup(s->text);
    char *host, *port;
    bool six;

    if (*s->text == '\0')
        return; /* no TCP */
    if (!copy)
        loading_out_of_memory(s->loading);
    else if (port_valid(copy))
        put(s, false, "127.0.0.1", copy);
    else if (!take_apart(copy, &host, &port, &six) || !port_valid(port))
        setting_expected(s);
    else if (!six && strcmp(host, "localhost") == 0)
        put(s, false, "127.0.0.1", port);
    else if (judge_host(host, six) == HOST_LOOPBACK)
        put(s, six, host, port);
    else if (judge_host(host, six) == HOST_ELSEWHERE)
        setting_refuse(s, 0, "without TLS only loopback is allowed: 127.0.0.1 or [::1]; got %s",
                       QUOTED(s->text));
    else
        setting_expected(s);
}

const struct value_type type_listen = {
    .name = "address",
    .expects = "HOST:PORT on loopback, such as 127.0.0.1:8700 or [::1]:8700, or a port from 1 to "
               "65535",
    .set = set_listen,
    .may_be_empty = true,
};
