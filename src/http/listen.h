/* listen - the sockets that requests come in by.
 * Threads: any. Ownership: a descriptor given is the caller's. */
#pragma once

#include "base/error.h"
#include "base/handover.h"
#include "hostname.h"

#include <stdbool.h>
#include <sys/stat.h>

/* A Unix socket at path, mode 0660, its group when one is named. A socket that nobody listens on
 * any more is replaced; -EADDRINUSE when somebody does. *ret_stat is the file's. A socket of the
 * same address that was handed over (NULL: none was) is used on. */
int listen_unix(const char *path, const char *group, struct handover *handover, int *ret_fd,
                struct stat *ret_stat, struct error *err);
/* Loopback only, unless anywhere: then there must be TLS, or somebody who said that plain text is
 * fine. host is the name or address without its port. */
int listen_tcp(const char *address, bool anywhere, struct handover *handover,
               char host[static HOSTNAME_MAX], int *ret_fd, struct error *err);
