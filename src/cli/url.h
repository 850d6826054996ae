/* url - the address of a daemon that is reached by TCP.
 * Threads: any. */
#pragma once

#include "base/error.h"

#include <stdbool.h>

/* http:// or https:// with a host, and nothing that paths could not be appended to; -EINVAL, with
 * origin in the text. *ret_exposed: what is sent there can be read on the way. */
int url_check(const char *url, const char *origin, bool *ret_exposed, struct error *err);
