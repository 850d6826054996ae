#include "http/api.h"

#include "base/text.h"
#include "problem.h"
#include "query.h"
#include "router.h"

#define NO_ROUTE                                                                                   \
    (PROBLEM_BIT(PROBLEM_BAD_PARAMETER) | PROBLEM_BIT(PROBLEM_BAD_BODY) |                          \
     PROBLEM_BIT(PROBLEM_UNAUTHENTICATED) | PROBLEM_BIT(PROBLEM_FORBIDDEN) |                       \
     PROBLEM_BIT(PROBLEM_NOT_FOUND) | PROBLEM_BIT(PROBLEM_METHOD_NOT_ALLOWED) |                    \
     PROBLEM_BIT(PROBLEM_TOO_LARGE) | PROBLEM_BIT(PROBLEM_CLOSING))

static void append_codes(struct text *t, unsigned codes)
{
    const char *before = "";

    text_append(t, "[");
    for (unsigned i = 0; i < PROBLEM_COUNT; i++) {
        if (!(codes & 1u << i))
            continue;
        text_appendf(t, "%s\"%s\"", before, problem_kind((enum problem_code)i)->code);
        before = ",";
    }
    text_append(t, "]");
}

static void append_answers(struct text *t, unsigned answers)
{
    static const unsigned statuses[] = {200, 202, 304, 409, 503}; /* by enum answer's bits */
    const char *before = "";

    text_append(t, "[");
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (!(answers & 1u << i))
            continue;
        text_appendf(t, "%s%u", before, statuses[i]);
        before = ",";
    }
    text_append(t, "]");
}

static void append_parameters(struct text *t, unsigned parameters)
{
    const char *before = "", *name, *expected;

    text_append(t, "[");
    for (size_t i = 0; (name = query_parameter(i, &expected)); i++) {
        if (!(parameters & 1u << i))
            continue;
        text_appendf(t, "%s\"%s\"", before, name);
        before = ",";
    }
    text_append(t, "]");
}

static const char *header_of(const struct route *route)
{
    if (route_makes_operations(route))
        return "\"Idempotency-Key\"";
    return route->parameters & PARAMETER_SINCE_EVENT ? "\"Last-Event-ID\"" : "";
}

static void append_route(struct text *t, const struct route *route)
{
    static const char *const bodies[] = {"none", "parameters", "batch"}; /* by enum body */

    text_appendf(t, "{\"method\":\"%s\",\"path\":\"", route->method);
    route_path(route, t);
    text_appendf(t, "\",\"role\":\"%s\",\"parameters\":", name_of(&role_names, (int)route->role));
    append_parameters(t, route->parameters);
    text_append(t, ",\"answers\":");
    append_answers(t, route->answers);
    text_append(t, ",\"problems\":");
    append_codes(t, route->problems);
    text_appendf(t, ",\"body\":\"%s\",\"headers\":[%s]}", bodies[route->body], header_of(route));
}

static void append_problems(struct text *t)
{
    for (unsigned i = 0; i < PROBLEM_COUNT; i++) {
        const struct problem_kind *kind = problem_kind((enum problem_code)i);

        text_appendf(t, "%s\n{\"code\":\"%s\",\"status\":%u,\"title\":\"%s\"}", i > 0 ? "," : "",
                     kind->code, kind->status, kind->title);
    }
}

static void append_all_parameters(struct text *t)
{
    const char *name, *expected;

    for (size_t i = 0; (name = query_parameter(i, &expected)); i++) {
        text_appendf(t, "%s\n{\"name\":\"%s\",\"expected\":", i > 0 ? "," : "", name);
        text_json_string(t, expected);
        text_append(t, "}");
    }
}

void http_print_api(FILE *to)
{
    struct text t = {0};

    text_append(&t, "{\"routes\":[");
    for (size_t i = 0; i < route_count; i++) {
        text_append(&t, i > 0 ? ",\n" : "\n");
        append_route(&t, &routes[i]);
    }
    text_append(&t, "],\n\"no_route\":");
    append_codes(&t, NO_ROUTE);
    text_append(&t, ",\n\"problems\":[");
    append_problems(&t);
    text_append(&t, "],\n\"parameters\":[");
    append_all_parameters(&t);
    text_append(&t, "]}\n");
    if (t.failed)
        fputs("out of memory\n", stderr);
    else
        fputs(t.data, to);
    text_deinit(&t);
}
