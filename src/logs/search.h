/* search - where the last so many lines begin.
 * Threads: one at a time. Ownership: none. */
#pragma once

#include "reading.h"

/* From the end of the file that the reader is in, over older ones where it must, over back bytes at
 * most. 0 or -errno. */
int search_back(struct file_reader *r, size_t lines, int64_t back);
/* Goes to the end of the file. 0 or -errno. */
int search_end(struct file_reader *r);
