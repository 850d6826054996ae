/* http - the REST interface: a libmicrohttpd daemon per listener over one table of routes.
 * Threads: libmicrohttpd's pools; http_start() and http_stop() belong to main.
 * Ownership: http_stop() closes sockets and frees; the supervisor must outlive it. */
#pragma once

#include "base/error.h"
#include "core/supervisor.h"

struct http;

/* Opens the Unix socket (mode 0660, api.group) and, when set, the TCP listener; makes the token
 * file at first start. shutdown(leave) is called when POST /daemon/shutdown was asked for. */
struct http_config {
    const struct config *config; /* borrowed, must live as long */
    void (*shutdown)(void *context, bool leave);
    void *context;
};
int http_start(const struct http_config *config, struct supervisor *supervisor,
               struct http **ret_http, struct error *err);
/* Reads the token file again; the old tokens stay when it is wrong. */
int http_reload_tokens(struct http *http, struct error *err);
/* Every wait must have been ended (supervisor_release_waits()); joins the pools. */
void http_stop(struct http *http);
