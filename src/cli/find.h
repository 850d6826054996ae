/* find - where the daemon is: what the options say, then the environment, then the usual place.
 * Threads: one. Ownership: target_deinit(). */
#pragma once

#include "base/error.h"

struct options;

struct target {
    char *socket; /* NULL: by TCP */
    char *url;    /* what paths are appended to */
    char *token;  /* NULL: none */
    char *cacert; /* who vouches for an https:// address; NULL: whom this machine trusts */
    char *origin; /* who named it, for messages: "--socket", "ORDERLY_URL", "the usual place" */
};

/* -errno with a text when what names the daemon is itself wrong. */
int find_daemon(const struct options *options, struct target *ret_target, struct error *err);
void target_deinit(struct target *target);

/* The socket's path or the URL. */
const char *target_address(const struct target *target);
/* Says why it could not be reached, and what is likely to be done about it; returns code. */
int target_explain(const struct target *target, int code, struct error *err);
