/* rotate - where one file ends and the next begins: at the end of a line.
 * Threads: the logs' thread only. Ownership: none. */
#pragma once

#include "state.h"

/* What is to be moved to the file that is being written, and whether it is full then. bytes may be
 * 0: it is full now. */
struct portion {
    size_t bytes;
    bool rotate;
};

/* size is the file's. 0 or -errno. */
int rotate_plan(struct log *log, int64_t size, struct portion *ret_portion);
/* A failure is remembered: for a second nothing is rotated then. */
void rotate_now(struct log *log);
