/* api - what [api] must be as a whole: who may listen in on it, and the files of TLS.
 * Threads: any. */
#pragma once

#include "loading.h"

void api_check(struct loading *loading, const struct config *config);
