/* hostname - whom a request over TCP believes it speaks to: a page from elsewhere whose name was
 * made to point at us (DNS rebinding) gives itself away by its Host.
 * Threads: any. */
#pragma once

#include "model/service_spec.h"

#include <stdbool.h>

#define HOSTNAME_MAX 256

/* "127.0.0.1:8700" "[::1]:8700" "localhost:8700": host without brackets, the port's text; false:
 * neither. The port may be missing: port is "" then. */
bool hostname_split(const char *address, char host[static HOSTNAME_MAX], char port[static 6]);
bool hostname_is_loopback(const char *host);
/* Whether one of names, each HOST or HOST:PORT, is meant. */
bool hostname_named(const char *host, const char *port, const struct string_list *names);
/* Whether a header Host names loopback, own (without port) or one of names. */
bool hostname_allowed(const char *header, const char *own, const struct string_list *names);
