/* way_supervisord - stopProcess and startProcess of supervisord's XML-RPC over one kept connection,
 * both waited for, then the service's line: with startsecs=0 supervisord says earlier that it runs.
 */
#include "measure.h"
#include "rest.h"
#include "told.h"
#include "way.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct way {
    struct rest rest;
    struct told told;
};

static struct way *way_supervisord_open(const char *where, const char *lines)
{
    struct way *way = calloc(1, sizeof *way);

    if (!way)
        die("out of memory");
    rest_open(&way->rest, where);
    told_init(&way->told, lines);
    return way;
}

static void way_supervisord_adopt(struct way *way, int number)
{
    told_adopt(&way->told, number);
}

static void call(struct way *way, const char *method, int number)
{
    const char *body;
    char text[512];
    int status;

    snprintf(text, sizeof text,
             "<?xml version='1.0'?><methodCall><methodName>supervisor.%s</methodName><params>"
             "<param><value><string>" WAY_NAME "</string></value></param></params></methodCall>",
             method, number);
    status = rest_post(&way->rest, "/RPC2", "text/xml", text, &body);
    if (status != 200 || strstr(body, "<fault>"))
        die("%s was answered %d:\n%s", method, status, body);
}

static void way_supervisord_restart(struct way *way, int number)
{
    call(way, "stopProcess", number);
    call(way, "startProcess", number);
    told_await_next(&way->told, number);
}

static void way_supervisord_close(struct way *way)
{
    told_deinit(&way->told);
    rest_close(&way->rest);
    free(way);
}

const struct way_ops way_supervisord = {
    .open = way_supervisord_open,
    .adopt = way_supervisord_adopt,
    .restart = way_supervisord_restart,
    .close = way_supervisord_close,
};
