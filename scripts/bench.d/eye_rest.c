/* eye_rest - follows `GET /status?since=REVISION&wait=10`. */
#include "eye.h"
#include "measure.h"
#include "rest.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct eye {
    struct view *view;
    struct rest rest;
    char revision[64];
};

static void see_row(struct eye *eye, json_t *row)
{
    const char *name, *state;

    if (json_unpack(row, "{s:s, s:s}", "name", &name, "state", &state) < 0)
        die("a service without name or state");
    if (strcmp(state, "running") == 0 || strcmp(state, "stopped") == 0)
        view_see(eye->view, unit_number(name), *state == 'r');
}

static void ask(struct eye *eye, const char *path)
{
    const char *body, *revision;
    json_t *status, *services, *row;
    json_error_t error;
    size_t i;
    int code = rest_ask(&eye->rest, "GET", path, &body);

    if (code != 200)
        die("GET %s was answered %d:\n%s", path, code, body);
    status = json_loads(body, 0, &error);
    if (!status)
        die("GET %s: %s", path, error.text);
    if (json_unpack(status, "{s:s, s:o}", "revision", &revision, "services", &services) < 0 ||
        strlen(revision) >= sizeof eye->revision)
        die("a status without revision or services");
    strcpy(eye->revision, revision);
    json_array_foreach(services, i, row) see_row(eye, row);
    json_decref(status);
}

static struct eye *eye_rest_open(struct view *view, const char *socket)
{
    struct eye *eye = calloc(1, sizeof *eye);

    if (!eye)
        die("out of memory");
    eye->view = view;
    rest_open(&eye->rest, socket);
    ask(eye, "/status");
    return eye;
}

static void eye_rest_look(struct eye *eye)
{
    char path[128];

    snprintf(path, sizeof path, "/status?since=%s&wait=10", eye->revision);
    ask(eye, path);
}

static void eye_rest_close(struct eye *eye)
{
    rest_close(&eye->rest);
    free(eye);
}

const struct eye_ops eye_rest = {
    .open = eye_rest_open,
    .look = eye_rest_look,
    .close = eye_rest_close,
};
