/* board - what is to be seen of every service, for whoever looks: published by turns, read by
 * anyone, without ever asking a service.
 *
 * Threads: any. One lock (a leaf, above the wait set's) guards it all; publishing is a swap.
 * Ownership: the board owns the statuses that are published. */
#pragma once

#include "base/lock.h"
#include "core/supervisor.h"
#include "wait.h"

extern struct lock_class board_lock_class;

struct board_entry {
    struct service_status status;
    bool shown; /* there is a status */
    uint64_t changed;
    char name[];
};

#define BOARD_REMOVED 256 /* so many removals are remembered for ?since= */

struct board {
    struct lock lock;
    struct wait_set *waits;
    uint32_t epoch;
    uint64_t number GUARDED_BY(board_lock_class);
    struct board_entry **entries GUARDED_BY(board_lock_class); /* ordered by name */
    size_t count GUARDED_BY(board_lock_class);
    struct {
        char *name;
        uint64_t number;
    } removed[BOARD_REMOVED] GUARDED_BY(board_lock_class);
    size_t removed_next GUARDED_BY(board_lock_class);
    uint64_t removed_known GUARDED_BY(board_lock_class); /* removals after this number are known */
    struct list waiters;                                 /* the wait set's lock */
};

int board_init(struct board *board, struct wait_set *waits, struct error *err);
void board_deinit(struct board *board);

/* The place of a service, made when it is new; it lives as long as the board. NULL: no memory. */
struct board_entry *board_place(struct board *board, const char *name) EXCLUDES(board_lock_class);
/* Shows status from now on; NULL takes the service off the board. Takes what is in status. */
void board_publish(struct board *board, struct board_entry *entry, struct service_status *status)
    EXCLUDES(board_lock_class);
/* Something beside the services has changed. */
void board_touch(struct board *board) EXCLUDES(board_lock_class);
struct revision board_revision(struct board *board) EXCLUDES(board_lock_class);
bool board_read(struct board *board, uint64_t since, const struct status_visitor *visitor,
                struct revision *ret_revision) EXCLUDES(board_lock_class);
/* A copy of one, NULL: not shown. */
struct service_status *board_status(struct board *board, const char *name)
    EXCLUDES(board_lock_class);
void board_wait(struct board *board, uint64_t since, int64_t until_mono, wait_done *done,
                void *context) EXCLUDES(board_lock_class);
