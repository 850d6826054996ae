/* answers - whether a client can read what a server has sent.
 * Threads: any. Ownership: none. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The first answer: a status that HTTP knows and that is not 500, and, where its length is told and
 * all of it is there, a body that is JSON if it says so. whole: the server has closed. */
void answers_check(const char *data, size_t size, bool is_head, bool whole);
