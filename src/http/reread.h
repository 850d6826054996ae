/* reread - what the TCP listener has from files beside the configuration: tokens, certificate, key.
 * Threads: any. Ownership: faults borrow the configuration's paths. */
#pragma once

#include "base/error.h"

#include <stddef.h>

struct config;
struct http;

#define REREAD_COUNT 2 /* the tokens; the certificate with its key */

struct reread_fault {
    const char *file;
    int line; /* 0: as a whole */
    struct error err;
};

/* What would be wrong if they were read now; the number of faults. */
size_t reread_try(const struct config *config, struct reread_fault ret_faults[static REREAD_COUNT]);
/* Reads them; what is wrong stays as it was, and is told by the faults. Their number. */
size_t reread(struct http *http, struct reread_fault ret_faults[static REREAD_COUNT]);
/* "FILE:LINE: what is wrong"; returns its code. */
int reread_error(const struct reread_fault *fault, struct error *err);
