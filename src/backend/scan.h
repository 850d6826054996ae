/* scan - one look at /proc: every process there is, in order of pid.
 * Threads: any; a scan is its caller's. Ownership: scan_deinit() frees; all zero is an empty one.
 */
#pragma once

#include "identity.h"

#include <stdbool.h>
#include <stddef.h>

struct member {
    struct process_stat stat;
    bool inside; /* of the tree that is looked for */
};

struct scan {
    struct member *members;
    size_t count, capacity;
    char *buffer; /* for environments */
};

/* Anew; nobody is inside yet. 0 or -errno. */
int scan_read(struct scan *scan);
void scan_deinit(struct scan *scan);
struct member *scan_find(const struct scan *scan, pid_t pid); /* NULL: there is none */
/* A child of one inside, or of the root, is inside too, as are theirs; root may be NULL. */
void scan_add_descendants(struct scan *scan, const struct member *root);
