/* router - the table of everything that can be asked for.
 * Threads: any; the table is constant. */
#pragma once

#include "base/text.h"
#include "model/names.h"

#include <stdbool.h>
#include <stddef.h>

struct exchange;

enum argument { ARGUMENT_NONE, ARGUMENT_SERVICE, ARGUMENT_OPERATION };

struct route {
    const char *method; /* GET stands for HEAD too */
    const char *path;   /* all of it; with an argument what stands before it */
    enum argument argument;
    enum role role;      /* at least; ROLE_NONE: anybody */
    unsigned parameters; /* bits of enum parameter */
    void (*handle)(struct exchange *x);
    enum action action; /* of what asks for an operation */
};

extern const struct route routes[];
extern const size_t route_count;

enum route_result { ROUTE_FOUND, ROUTE_WRONG_METHOD, ROUTE_UNKNOWN };
/* *ret_argument points into path. */
enum route_result router_find(const char *method, const char *path, const struct route **ret_route,
                              const char **ret_argument);
/* "GET, HEAD, DELETE": what a known path can be asked with. */
void router_allow(const char *path, struct text *t);
/* "POST /start/<service>": what may have been meant by an unknown path; false: nothing is near. */
bool router_suggest(const char *path, struct text *t);
