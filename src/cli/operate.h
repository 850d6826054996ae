/* operate - what those subcommands share that ask for operations: options, request, wait.
 * Threads: one. */
#pragma once

#include "cli.h"
#include "wait.h"

#include "base/clock.h"

/* What the daemon takes as the timeout of an operation. */
#define OPERATION_SHORTEST_US USEC_PER_MSEC
#define OPERATION_LONGEST_US  (86400 * USEC_PER_SEC)

/* false, and said: an option has a value that no operation can have. */
bool operate_check(const struct options *options);
/* ,"timeout":…,"mode":…,"coalesce":…,"reason":… as far as given. */
void operate_parameters(const struct options *options, struct text *body);
/* STATUS_DONE: there is an answer, of whatever status; else it is said, and whether the request
 * (a stop, a goal) may have been accepted all the same. */
enum status operate_ask(struct cli *cli, const char *method, const struct text *path,
                        const struct text *body, const char *what, struct answer *ret_answer);
/* Unless --no-wait. */
void operate_wait(struct waiting *waiting);
