/* listener - how libmicrohttpd is asked to serve one of our sockets.
 * Threads: main's. */
#pragma once

#include "base/error.h"

struct listener;

/* Takes fd, a socket that listens; starts the threads. */
int listener_start(struct listener *listener, int fd, struct error *err);
