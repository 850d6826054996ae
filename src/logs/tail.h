/* tail - the last lines of an instance, for the record of the operation that it failed.
 * Threads: the logs' thread only. Ownership: requests are freed when they have been answered. */
#pragma once

#include "state.h"

/* Answers all that have been asked for; false: there were none. */
bool tail_answer(struct logs *logs) EXCLUDES(logs_lock_class);

struct tail {
    struct list link;
    struct log *log;
    char *unit; /* whose journal has the lines; NULL: none's */
    enum bus_type bus;
    int asked_fd; /* journald was asked to write first */
    int64_t since;
    size_t count;
    log_tail_done *done;
    void *context;
};
/* Answers, if there are lines (NULL: there was no memory to ask), and frees the tail. */
void tail_end(struct tail *tail, const struct string_list *lines) EXCLUDES(logs_lock_class);
