/* values_hosts - the names that this host is called by, put into the form in which they are
 * compared. */
#include "address.h"
#include "base/cleanup.h"
#include "loading.h"
#include "values.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#define HOST_MOST  253
#define LABEL_MOST 63

/* HOST, HOST:PORT, an IPv6 address bare or in brackets. */
struct host {
    char *name, *port; /* port NULL: any */
    bool six;
};

/* Takes text apart in place; false: it is none of these. */
static bool split_host(char *text, struct host *h)
{
    char *rest;

    *h = (struct host){.name = text, .six = true};
    if (address_valid(text, true))
        return true;
    h->six = text[0] == '[';
    h->name += h->six;
    rest = strchr(h->name, h->six ? ']' : ':');
    if (!rest)
        return !h->six;
    if (h->six) {
        *rest++ = '\0';
        if (*rest != ':')
            return *rest == '\0';
    }
    *rest = '\0';
    h->port = rest + 1;
    return port_valid(h->port);
}

/* Letters, digits, - and _; *ret_number: digits alone. */
static bool label_valid(const char *label, size_t len, bool *ret_number)
{
    size_t digits = 0;

    if (len == 0 || len > LABEL_MOST || label[0] == '-' || label[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_')
            return false;
        digits += isdigit((unsigned char)label[i]) != 0;
    }
    *ret_number = digits == len;
    return true;
}

/* Labels with dots between them; the last is no number, or it would be an address. */
static bool name_valid(const char *name)
{
    bool number;

    if (strlen(name) > HOST_MOST)
        return false;
    for (;;) {
        size_t len = strcspn(name, ".");

        if (!label_valid(name, len, &number))
            return false;
        if (name[len] == '\0')
            return !number;
        name += len + 1;
    }
}

static bool host_valid(const struct host *h)
{
    return address_valid(h->name, h->six) || (!h->six && name_valid(h->name));
}

/* As browsers write it; NULL without memory. */
static char *canonical(struct host *h)
{
    char plain[INET6_ADDRSTRLEN];
    struct in6_addr address;
    struct text t = {0};

    if (h->six && inet_pton(AF_INET6, h->name, &address) == 1 &&
        inet_ntop(AF_INET6, &address, plain, sizeof plain))
        h->name = plain;
    for (char *c = h->name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    text_appendf(&t, h->six ? "[%s]" : "%s", h->name);
    if (h->port)
        text_appendf(&t, ":%s", h->port);
    return text_take(&t);
}

/* Puts the canonical form in the place of the word of that index; false: it is reported. */
static bool take_host(const struct setting *s, size_t index, char **word)
{
    CLEANUP(freep) char *copy = strdup(*word);
    char *form = NULL;
    struct host host;

    if (copy && (!split_host(copy, &host) || !host_valid(&host))) {
        setting_refuse(s, setting_name_at(s, index),
                       "%s is no host name or address, with or without a :PORT", QUOTED(*word));
        return false;
    }
    if (copy)
        form = canonical(&host);
    if (!form) {
        loading_out_of_memory(s->loading);
        return false;
    }
    free(*word);
    *word = form;
    return true;
}

static void set_host_names(const struct setting *s)
{
    CLEANUP(string_list_clear) struct string_list names = {0};

    if (!setting_names(s, NULL, &names))
        return;
    for (size_t i = 0; i < names.count; i++)
        if (!take_host(s, i, &names.items[i]))
            return;
    *(struct string_list *)setting_target(s) = names;
    names = (struct string_list){0};
}

const struct value_type type_host_names = {
    .name = "hosts",
    .expects = "names or addresses of this host",
    .set = set_host_names,
    .same = same_strings,
    .may_be_empty = true,
};
