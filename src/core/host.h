/* host - what all services of one supervisor share: the parts that do the work.
 *
 * Threads: every part guards itself; the pointers are set before the workers start. The counters
 * are atomic. Ownership: the supervisor owns all of it. */
#pragma once

#include "backend/backend.h"
#include "backend/quiet.h"
#include "backend/watcher.h"
#include "board.h"
#include "config/config.h"
#include "events.h"
#include "journal/journal.h"
#include "journal/marks.h"
#include "logs/logs.h"
#include "op.h"
#include "run_queue.h"
#include "wait.h"

#include <stdatomic.h>

struct registry;

struct host {
    const struct config *config;
    struct journal *journal;
    struct marks *marks;
    struct logs *logs;
    struct watcher *watcher;
    struct backend *processes, *units;
    struct registry *registry;
    struct run_queue run_queue;
    struct wait_set waits;
    struct quiet quiet; /* no turn has been taken for a while */
    struct board board;
    struct events events;
    struct op_index operations;
    atomic_llong next_id;
    atomic_llong people_waiting; /* operations of people in all queues together */
    /* What a reload may change. */
    atomic_llong queue_limit_total, shutdown_timeout_us;
    atomic_bool closing;   /* new requests are refused */
    atomic_bool forced;    /* the shutdown has run out of time: order no longer matters */
    atomic_int stops_left; /* of the shutdown; who takes the last one signals stops_done */
    struct lock stops_lock;
    struct cond stops_done;
    atomic_int units_unseen; /* at boot; who sees the last one signals stops_done, too */
    atomic_int unshown;      /* services that a reload has told something: the same, see settle.h */
};
