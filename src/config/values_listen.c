/* values_listen - the address of the TCP listener, in numbers; whether it may be listened to is
 * seen once the file is read as a whole. */
#include "address.h"
#include "base/cleanup.h"
#include "loading.h"
#include "values.h"

#include <string.h>

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
    else if (!address_split(copy, &host, &port, &six))
        setting_expected(s);
    else if (!six && strcmp(host, "localhost") == 0)
        put(s, false, "127.0.0.1", port);
    else if (address_valid(host, six))
        put(s, six, host, port);
    else
        setting_expected(s);
}

const struct value_type type_listen = {
    .name = "address",
    .expects = "ADDRESS:PORT in numbers, such as 127.0.0.1:8700 or [::1]:8700, or a port of "
               "loopback from 1 to 65535",
    .set = set_listen,
    .same = same_string,
    .may_be_empty = true,
};
