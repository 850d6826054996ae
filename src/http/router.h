/* router - the table of everything that can be asked for.
 * Threads: any; the table is constant. */
#pragma once

#include "base/text.h"
#include "model/names.h"

#include <stdbool.h>
#include <stddef.h>

struct exchange;

/* What a request may carry. */
enum body { BODY_NONE, BODY_PARAMETERS, BODY_BATCH };

/* The statuses of the answers that are no problems. */
enum answer {
    ANSWER_200 = 1 << 0,
    ANSWER_202 = 1 << 1,
    ANSWER_304 = 1 << 2,
    ANSWER_409 = 1 << 3,
    ANSWER_503 = 1 << 4,
};

enum argument { ARGUMENT_NONE, ARGUMENT_SERVICE, ARGUMENT_OPERATION };

struct route {
    const char *method; /* GET stands for HEAD too */
    const char *path;   /* all of it; with an argument what stands before it */
    enum argument argument;
    enum role role; /* at least; ROLE_NONE: anybody */
    enum body body;
    unsigned parameters; /* bits of enum parameter */
    unsigned answers;    /* bits of enum answer */
    unsigned problems;   /* bits of enum problem_code: every code that it can give */
    void (*handle)(struct exchange *x);
    enum action action; /* of what asks for an operation */
};

extern const struct route routes[];
extern const size_t route_count;

/* Whether it takes an Idempotency-Key. */
bool route_makes_operations(const struct route *route);

enum route_result { ROUTE_FOUND, ROUTE_WRONG_METHOD, ROUTE_UNKNOWN };
/* *ret_argument points into path. */
enum route_result router_find(const char *method, const char *path, const struct route **ret_route,
                              const char **ret_argument);
/* "GET, HEAD, DELETE": what a known path can be asked with. */
void router_allow(const char *path, struct text *t);
/* "/start/<service>" */
void route_path(const struct route *route, struct text *t);
/* "POST /start/<service>": what may have been meant by an unknown path; false: nothing is near. */
bool router_suggest(const char *path, struct text *t);
