/* wait - operations that were asked for, waited for together until each has ended.
 * Threads: one. Ownership: pending_deinit() of each. */
#pragma once

#include "cli.h"
#include "progress.h"

struct pending {
    int64_t id;           /* 0: there is no operation, the daemon refused */
    struct answer answer; /* the last word about it: the record, or the refusal */
    bool over;            /* nothing more is to be learned */
    enum status status;   /* once it is over */
};

/* Takes an answer over: line `index` of the progress says what it says. */
void pending_take(struct pending *pending, struct answer *answer, struct progress *progress,
                  size_t index);
void pending_deinit(struct pending *pending);

/* Until all are over, Ctrl-C, until_mono (CLOCK_NEVER: no limit), or the daemon has been gone for
 * some seconds. */
void wait_for(struct cli *cli, struct pending *pending, size_t count, struct progress *progress,
              int64_t until_mono);
/* Says what there is to say of those that did not succeed. */
void pending_complain(const struct cli *cli, const struct pending *pending, size_t count);

/* The first that is not STATUS_DONE, in the order in which they were named. */
enum status pending_status(const struct pending *pending, size_t count);
/* The daemon's answers: one as it is, several as an array; as_array forces one. */
void pending_print_json(const struct pending *pending, size_t count, bool as_array);
