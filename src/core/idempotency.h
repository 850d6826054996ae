/* idempotency - a request that brings an Idempotency-Key: new, on its way, or made before.
 * Threads: any; reads the journal. */
#pragma once

#include "submit.h"

/* True: the key is new, claimed for this submission, and the request goes on. False: the submission
 * is gone, and has been answered or will be. */
bool idempotency_check(struct submission *submission, const struct request *request);
