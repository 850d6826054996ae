/* way_rest - `POST /restart/SERVICE?wait` over one kept connection. */
#include "measure.h"
#include "rest.h"
#include "way.h"

#include <stdio.h>
#include <stdlib.h>

struct way {
    struct rest rest;
};

static struct way *way_rest_open(const char *where, const char *lines)
{
    struct way *way = calloc(1, sizeof *way);

    (void)lines;
    if (!way)
        die("out of memory");
    rest_open(&way->rest, where);
    return way;
}

static void way_rest_adopt(struct way *way, int number)
{
    (void)way;
    (void)number;
}

static void way_rest_restart(struct way *way, int number)
{
    const char *body;
    char path[64];
    int status;

    snprintf(path, sizeof path, "/restart/" WAY_NAME "?wait", number);
    status = rest_ask(&way->rest, "POST", path, &body);
    if (status != 200)
        die("POST %s was answered %d:\n%s", path, status, body);
}

static void way_rest_close(struct way *way)
{
    rest_close(&way->rest);
    free(way);
}

const struct way_ops way_rest = {
    .open = way_rest_open,
    .adopt = way_rest_adopt,
    .restart = way_rest_restart,
    .close = way_rest_close,
};
