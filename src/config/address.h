/* address - hosts and ports as they are written.
 * Threads: any. Nothing is allocated. */
#pragma once

#include <stdbool.h>

bool port_valid(const char *port);
/* An IPv6 (six) or IPv4 address in numbers, without brackets. */
bool address_valid(const char *host, bool six);
bool address_loopback(const char *host, bool six);
/* "[::1]:80" or "127.0.0.1:80", taken apart in place; false: no port, or no such form. What the
 * host is, is not looked at. */
bool address_split(char *text, char **ret_host, char **ret_port, bool *ret_six);
