/* server - the two listeners, and what all requests share.
 *
 * Threads: `lock` guards what is marked; tokens, certificate, patience and the status cache have
 * locks of their own; the rest is set before the listeners start. Ownership: http_stop() frees it
 * all; a callback that is still to come by then (a follower's) holds no pointer to it. */
#pragma once

#include "auth.h"
#include "base/list.h"
#include "base/lock.h"
#include "hostname.h"
#include "http/http.h"
#include "patience.h"
#include "status_cache.h"
#include "tls.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

struct MHD_Daemon;

extern struct lock_class http_lock_class;

struct listener {
    struct http *http;
    struct MHD_Daemon *daemon; /* NULL: not set up */
    int handed_over;           /* its socket, when a copy goes to the next program; 0: not yet */
    bool unix_socket, tls;
    char host[HOSTNAME_MAX]; /* of TCP, as configured */
    unsigned connections;    /* at most */
    atomic_uint parked;      /* of them: waiting or following */
    struct refusals refusals;
};

struct http {
    struct http_config config;
    struct supervisor *supervisor;
    struct listener local, tcp;
    struct stat socket_file;
    gid_t group; /* whose members may use the Unix socket; NO_GROUP: none */
    struct auth auth;
    struct tls tls;
    struct patience patience;
    struct status_cache status;

    struct lock lock;
    struct cond changed;
    bool stopping GUARDED_BY(http_lock_class);
    unsigned expected GUARDED_BY(http_lock_class); /* callbacks of the core that are to come */
    unsigned active GUARDED_BY(http_lock_class);   /* requests that are not completed */
    struct list followers GUARDED_BY(http_lock_class);
};

void http_lock(struct http *http) ACQUIRE(http_lock_class);
void http_unlock(struct http *http) RELEASE(http_lock_class);

bool http_stopping(struct http *http) EXCLUDES(http_lock_class);
void http_enter(struct http *http) EXCLUDES(http_lock_class); /* a request begins */
void http_leave(struct http *http) EXCLUDES(http_lock_class); /* and is completed */
/* A callback of the core is going to open a gate; false: stopping, none may be asked for. */
bool http_expect(struct http *http) EXCLUDES(http_lock_class);
/* It has. */
void http_arrived(struct http *http) EXCLUDES(http_lock_class);
