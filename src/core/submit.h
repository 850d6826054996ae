/* submit - a request on its way to be accepted.
 * Threads: one at a time has it: the caller's, then whoever commits. Ownership: it frees itself
 * with its answer. */
#pragma once

#include "keys.h"
#include "op.h"
#include "supervisor_private.h"

struct submission {
    struct supervisor *supervisor;
    struct op **ops; /* as asked, a reference each */
    size_t count;
    int64_t batch; /* its id; 0: it is none */
    struct key_claim *claim;
    accept_done *done;
    void *context;
};

/* Answers and frees the submission; its places, if it had any, have been given back. */
void submission_end(struct submission *submission, const struct acceptance *acceptance);
void submission_free(struct submission *submission);
