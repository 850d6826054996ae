/* rest - requests over one kept connection to a Unix socket: just enough of HTTP/1.1 that the
 * client costs nothing beside what is measured.
 *
 * Threads: one. Ownership: an answer's body belongs to the connection and lasts until the next
 * request. */
#pragma once

#include <stddef.h>

struct rest {
    int fd;
    char *buffer; /* the answer: head and body */
    size_t room;
};

void rest_open(struct rest *rest, const char *socket);
/* The status; *ret_body (if wanted) is the body, ended by a 0. */
int rest_ask(struct rest *rest, const char *method, const char *path, const char **ret_body);
/* The same with a body of a type. */
int rest_post(struct rest *rest, const char *path, const char *body_type, const char *body,
              const char **ret_body);
void rest_close(struct rest *rest);
