/* http - the REST interface: a libmicrohttpd daemon per listener over one table of routes.
 * Threads: libmicrohttpd's pools; http_start() and http_stop() belong to main.
 * Ownership: http_stop() closes sockets and frees; the supervisor must outlive it. */
#pragma once

#include "base/error.h"
#include "core/supervisor.h"

struct http;

/* For before anything is started: whether the certificate, its key and the token file (which need
 * not be there yet) can be used. */
int http_check(const struct config *config, struct error *err);

/* Opens the Unix socket (mode 0660, api.group) and, when set, the TCP listener; makes the token
 * file at first start. shutdown(leave) is called when POST /daemon/shutdown was asked for. */
struct http_config {
    const struct config *config; /* borrowed, must live as long */
    void (*shutdown)(void *context, bool leave);
    /* POST /daemon/reload begins, has ended. */
    void (*reloading)(void *context, bool begun);
    /* POST /daemon/upgrade was asked for: whether that can be done; then it begins with upgrade()
     * once the answer is out. */
    int (*can_upgrade)(void *context, struct error *err);
    void (*upgrade)(void *context);
    struct handover *handover; /* of the program that we were: its sockets; NULL: none */
    void *context;
};
int http_start(const struct http_config *config, struct supervisor *supervisor,
               struct http **ret_http, struct error *err);
/* Reads the token file, the certificate and its key again; what is wrong is logged and stays as it
 * was. */
void http_reload(struct http *http);
/* Copies of the listening sockets, for the program that this one becomes: nothing more is taken
 * from them here, and the Unix socket's file stays. Before http_stop(). */
int http_hand_over(struct http *http, struct handover *handover);
/* Every wait must have been ended (supervisor_release_waits()); joins the pools. */
void http_stop(struct http *http);
