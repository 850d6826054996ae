#include "address.h"

#include "base/units.h"

#include <arpa/inet.h>
#include <string.h>

bool port_valid(const char *port)
{
    int64_t number;

    return units_parse_int(port, &number) == 0 && number >= 1 && number <= 65535;
}

bool address_valid(const char *host, bool six)
{
    struct in6_addr address;

    return inet_pton(six ? AF_INET6 : AF_INET, host, &address) == 1;
}

bool address_loopback(const char *host, bool six)
{
    struct in6_addr v6;
    struct in_addr v4;

    if (six)
        return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
    return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

bool address_split(char *text, char **ret_host, char **ret_port, bool *ret_six)
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
    return port_valid(*ret_port);
}
