/* head - what libmicrohttpd lets through in a request's header and no server should: two lengths,
 * a length with chunks, unknown codings, no host or two, folded lines, lines that do not end in CR
 * LF. Whoever stands before us may read such a request another way than we do.
 * Threads: the connection's. */
#pragma once

#include <stdbool.h>

struct exchange;

#define TARGET_LIMIT 8192  /* bytes of a path with its query */
#define BODY_LIMIT   65536 /* bytes of a request's body */
#define BODY_DRAINED                                                                               \
    (1024 * 1024) /* so much is read all the same: who still sends hears no 413                    \
                   */

/* False: the problem is said, and the connection will be closed. */
bool head_check(struct exchange *x, const char *version);
