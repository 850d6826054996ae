/* origin - whether a browser asks on behalf of a page of ours. A page from elsewhere can make the
 * browser send us requests; it cannot keep it from saying where the page came from.
 * Threads: any. */
#pragma once

#include "model/service_spec.h"

#include <stdbool.h>

/* What is known of the request. NULL: not sent, or not known. */
struct origin_facts {
    const char *origin, *fetch_site; /* headers Origin and Sec-Fetch-Site */
    const char *host;                /* header Host */
    const char *scheme;              /* that we are asked by; NULL: any */
};

/* Same scheme, host and port as were asked for, or a host of names. Programs send neither header
 * and are let through. */
bool origin_allowed(const struct origin_facts *facts, const struct string_list *names);
