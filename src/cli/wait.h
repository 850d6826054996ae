/* wait - operations that were asked for, waited for together until each has ended.
 * Threads: one. Ownership: waiting_deinit(). */
#pragma once

#include "cli.h"
#include "progress.h"

struct pending {
    int64_t id;           /* 0: there is no operation: refused, or none was needed */
    struct answer answer; /* the last word about it: the record, or the refusal */
    bool over;            /* nothing more is to be learned */
    enum status status;   /* once it is over */
};

struct waiting {
    struct cli *cli;
    struct pending *items;
    size_t count;
    struct progress progress;
    int64_t batch;       /* 0: none, each is looked at by itself */
    struct answer whole; /* of a batch: what the daemon said last */
    int64_t gone_since;  /* 0: the daemon answers */
};

/* For so many operations; silent with --json. STATUS_DONE, or said. */
enum status waiting_init(struct waiting *waiting, struct cli *cli, size_t count);
void waiting_deinit(struct waiting *waiting);

/* Takes an answer about the operation at index over. */
void waiting_take(struct waiting *waiting, size_t index, struct answer *answer);
/* After waiting_init() for none: takes the acceptance of a batch over, or its refusal. */
enum status waiting_take_batch(struct waiting *waiting, struct answer *answer);
/* Takes over what the list of all of them says, newest first, of those that are not over. */
void waiting_take_list(struct waiting *waiting, const json_t *list);
/* There is no answer about it: it ends like that. */
void waiting_end(struct waiting *waiting, size_t index, enum status status);
void waiting_end_all(struct waiting *waiting, enum status status);
/* How many are not over. */
size_t waiting_left(const struct waiting *waiting);

/* Until all are over, Ctrl-C, until_mono (CLOCK_NEVER: no limit), or the daemon has been gone for
 * some seconds. */
void waiting_wait(struct waiting *waiting, int64_t until_mono);
/* Says what there is to say of those that did not succeed, prints the JSON with --json; the worst
 * of them. */
enum status waiting_finish(struct waiting *waiting);
