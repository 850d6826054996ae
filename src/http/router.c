#include "router.h"

#include "base/nearest.h"
#include "query.h"

#include <stdio.h>
#include <string.h>

bool route_makes_operations(const struct route *route)
{
    return route->parameters & PARAMETER_MODE;
}

static bool matches(const struct route *route, const char *path, const char **ret_argument)
{
    size_t len = strlen(route->path);

    if (route->argument == ARGUMENT_NONE)
        return strcmp(path, route->path) == 0;
    if (strncmp(path, route->path, len) != 0 || path[len] == '\0' || strchr(path + len, '/'))
        return false;
    *ret_argument = path + len;
    return true;
}

enum route_result router_find(const char *method, const char *path, const struct route **ret_route,
                              const char **ret_argument)
{
    enum route_result result = ROUTE_UNKNOWN;
    const char *argument = NULL;

    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    for (size_t i = 0; i < route_count; i++) {
        if (!matches(&routes[i], path, &argument))
            continue;
        result = ROUTE_WRONG_METHOD;
        if (strcmp(method, routes[i].method) != 0)
            continue;
        *ret_route = &routes[i];
        *ret_argument = argument;
        return ROUTE_FOUND;
    }
    return result;
}

void router_allow(const char *path, struct text *t)
{
    const char *argument;

    for (size_t i = 0; i < route_count; i++) {
        if (!matches(&routes[i], path, &argument))
            continue;
        text_appendf(t, "%s%s", t->len > 0 ? ", " : "", routes[i].method);
        if (strcmp(routes[i].method, "GET") == 0)
            text_append(t, ", HEAD");
    }
}

/* The part of a typed path that is to be compared: what stands before the argument, or all. */
static void without_argument(const struct route *route, const char *path, char text[static 64])
{
    const char *last = strrchr(path, '/');

    if (route->argument == ARGUMENT_NONE || !last || last == path)
        snprintf(text, 64, "%s", path);
    else
        snprintf(text, 64, "%.*s", (int)(last - path) + 1, path);
}

static const struct route *find_nearest(const char *path)
{
    const struct route *best = NULL;
    size_t best_distance = 0;

    for (size_t i = 0; i < route_count; i++) {
        char text[64];
        struct nearest nearest = {.typed = text};

        without_argument(&routes[i], path, text);
        nearest_offer(&nearest, routes[i].path);
        if (!nearest.word || (best && nearest.distance >= best_distance))
            continue;
        best = &routes[i];
        best_distance = nearest.distance;
    }
    return best;
}

void route_path(const struct route *route, struct text *t)
{
    text_append(t, route->path);
    switch (route->argument) {
    case ARGUMENT_NONE: break;
    case ARGUMENT_SERVICE: text_append(t, "<service>"); break;
    case ARGUMENT_OPERATION: text_append(t, "<id>"); break;
    }
}

bool router_suggest(const char *path, struct text *t)
{
    const struct route *route = find_nearest(path);

    if (route) {
        text_appendf(t, "%s ", route->method);
        route_path(route, t);
    }
    return route && !t->failed;
}
