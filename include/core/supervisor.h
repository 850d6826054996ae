/* supervisor - the services of this host, and everything that may be asked of them.
 *
 * Threads: every call here is for any thread and never waits for a service, a commit or the disk
 * (but supervisor_find() and supervisor_list() read the journal). Callbacks are called exactly
 * once, from whatever thread brought the news, or from the caller's own before the call returns; no
 * lock is held; they must not block. Ownership: what a call returns is the caller's; callbacks lend
 * what they are given. */
#pragma once

#include "backend/process.h"
#include "base/error.h"
#include "base/handover.h"
#include "config/config.h"
#include "model/identity.h"
#include "model/operation.h"
#include "model/service_status.h"

#include <stdbool.h>
#include <stdint.h>

struct supervisor;

/* Opens the journal, takes over what runs, begins what is to run. set and problems are taken. */
struct supervisor_config {
    const struct config *config; /* borrowed, must live as long */
    const char *executor;        /* path of orderly-exec */
    bool force_best_effort;
    struct handover *handover; /* of the program that we were: its locks; NULL: none */
};
int supervisor_new(const struct supervisor_config *config, struct service_set *set,
                   struct problems *problems, struct supervisor **ret_supervisor,
                   struct error *err);
/* Copies of the locks, for the program that this one becomes. */
int supervisor_hand_over(struct supervisor *supervisor, struct handover *handover);
/* Ends every wait now and for good: before http_stop(). */
void supervisor_release_waits(struct supervisor *supervisor);
/* Leaves what runs running. NULL is fine. */
void supervisor_free(struct supervisor *supervisor);

/* ---- asking for an operation ---- */

/* One thing that is asked. In a batch the service may be a glob over the names or "@tag", and
 * stands for every service that it matches. */
struct request_item {
    const char *service;
    enum action action;
    int64_t timeout_us; /* 0: the service's own */
    int signal;         /* of ACTION_SIGNAL */
};

enum coalesce { COALESCE_AS_CONFIGURED, COALESCE_NO, COALESCE_YES };

#define IDEMPOTENCY_KEY_MAX 255

/* Everything here is accepted together, in one transaction, or not at all. All borrowed for the
 * call only. */
struct request {
    const struct request_item *items;
    size_t count;
    bool batch;          /* else: one item, one plain name */
    bool only_if_needed; /* nothing is done when the service has, or is on its way to, the goal */
    enum mode mode;
    enum coalesce coalesce;
    const char *reason; /* at most REASON_MAX bytes; NULL: none */
    const char *key;    /* Idempotency-Key, at most IDEMPOTENCY_KEY_MAX bytes; NULL: none */
    struct identity who;
};

enum accept_result {
    ACCEPTED,
    NOT_NEEDED,                  /* only_if_needed, and it is not: no operation was made */
    REFUSED_UNKNOWN_SERVICE,     /* subject; nearest says what may have been meant */
    REFUSED_CONFIG,              /* its file is refused: detail is file:line: message */
    REFUSED_NO_RELOAD,           /* neither reload_signal nor reload_command is set: subject */
    REFUSED_NOT_IDLE,            /* MODE_FAIL: subject is busy, detail says with what */
    REFUSED_QUEUE_FULL,          /* detail names the services whose queues are full */
    REFUSED_TOTAL_FULL,          /* the queues of all services together */
    REFUSED_NEVER_FITS,          /* a batch beyond what empty queues could take; detail says how */
    REFUSED_KEY_REUSED,          /* the key was used for another request; detail says which */
    REFUSED_GONE,                /* the key was used for an operation whose record is gone */
    REFUSED_CLOSING,             /* the daemon is shutting down */
    REFUSED_JOURNAL_UNAVAILABLE, /* not committed within 5 s; detail says why */
};

struct acceptance {
    enum accept_result result;
    const struct operation *operations; /* ACCEPTED: their records at this moment, in the order
                                           asked; a pattern's by name */
    size_t count;
    int64_t batch;       /* its id; 0: it is none */
    const char *subject; /* the service or pattern that was refused; "" when none is to blame */
    const char *detail;  /* "" when there is nothing to add */
    const char *nearest; /* NULL: none */
};
typedef void accept_done(void *context, const struct acceptance *acceptance);
/* A request with a key that was used for the same request is answered with what that has made. */
void supervisor_submit(struct supervisor *supervisor, const struct request *request,
                       accept_done *done, void *context);

enum cancel_result {
    CANCEL_DONE,      /* it ended `cancelled`; answer when supervisor_wait_written() has called */
    CANCEL_ASKED,     /* it runs and is being given up: supervisor_wait_written(), then look how it
                         ended: it may have been faster */
    CANCEL_NOT_YOURS, /* the supervisor's own: *ret_operation says which */
    CANCEL_UNKNOWN,   /* no such operation */
    CANCEL_TOO_LATE   /* a stop that runs, or it has ended: *ret_operation says which */
};
enum cancel_result supervisor_cancel(struct supervisor *supervisor, int64_t id,
                                     const struct identity *who, struct operation *ret_operation);

/* ---- operations ---- */

enum find_result { FIND_FOUND, FIND_UNKNOWN, FIND_PRUNED, FIND_UNREADABLE };
enum find_result supervisor_find(struct supervisor *supervisor, int64_t id,
                                 struct operation *ret_operation, struct error *err);

struct operation_filter {
    const char *service; /* NULL: all */
    int64_t batch;       /* 0: all */
    int state;           /* enum operation_state; -1: all */
    int64_t before;      /* 0: all */
    size_t limit;
};
/* Newest first; the caller frees the array after operation_deinit() of each. */
int supervisor_list(struct supervisor *supervisor, const struct operation_filter *filter,
                    struct operation **ret_operations, size_t *ret_count, struct error *err);

typedef void wait_done(void *context);
/* done is called when the operation has ended and the status shows what has come of it, at
 * until_mono (CLOCK_NEVER: not), or when the supervisor is freed. */
void supervisor_wait_operation(struct supervisor *supervisor, int64_t id, int64_t until_mono,
                               wait_done *done, void *context);

/* Whether the status shows what has come of an operation that has ended. */
bool supervisor_announced(struct supervisor *supervisor, int64_t id);

/* done is called when the end of an operation is told and in the journal, at until_mono, or when
 * the supervisor is freed; supervisor_written() tells which. */
void supervisor_wait_written(struct supervisor *supervisor, int64_t id, int64_t until_mono,
                             wait_done *done, void *context);
bool supervisor_written(struct supervisor *supervisor, int64_t id);

/* ---- status ---- */

/* Grows with every visible change; never the same twice, across daemons too (with the epoch). */
struct revision {
    uint32_t epoch; /* of this daemon */
    uint64_t number;
};
struct revision supervisor_revision(struct supervisor *supervisor);

struct status_visitor {
    /* Called under the board's lock, services ordered by name: append, nothing else.
     * changed is the revision number of its last change. */
    void (*service)(void *context, const struct service_status *status, uint64_t changed);
    void (*removed)(void *context, const char *name); /* only with since > 0 */
    void *context;
};
/* since 0: everything; else what changed after that revision number of this daemon. false: since
 * is not known (another daemon, or too long ago): everything was visited. */
bool supervisor_read_status(struct supervisor *supervisor, uint64_t since,
                            const struct status_visitor *visitor, struct revision *ret_revision);
/* One service; NULL: unknown (nearest_name() may help). The caller status_free()s a copy. */
struct service_status *supervisor_service_status(struct supervisor *supervisor, const char *name);
bool supervisor_service_known(struct supervisor *supervisor, const char *name);
/* The known service nearest to name, or ""; text must hold SERVICE_NAME_MAX + 1. */
void supervisor_nearest(struct supervisor *supervisor, const char *name, char *text);
/* file:line: message of a service whose file is refused; false: it is not. */
bool supervisor_config_refusal(struct supervisor *supervisor, const char *name,
                               char text[static 512]);

/* done is called when the revision number is above since, at until_mono, or at the end. */
void supervisor_wait_status(struct supervisor *supervisor, uint64_t since, int64_t until_mono,
                            wait_done *done, void *context);

/* The daemon's own part of the status: appends the JSON object {"version":...}. */
void supervisor_daemon_json(struct supervisor *supervisor, struct text *t);
void supervisor_version_json(struct supervisor *supervisor, struct text *t);

/* ---- events ---- */

/* Facts as they happened, oldest first; ids only grow, over daemons too. */
struct event_visitor {
    /* Under a lock: append, nothing else. json: {"id","at","event","service",...}, one line. */
    void (*event)(void *context, int64_t id, enum event_kind kind, const char *json);
    void *context;
};
/* What came after that id, at most so many; reads the journal for what memory no longer holds. */
int supervisor_read_events(struct supervisor *supervisor, int64_t after, size_t most,
                           const struct event_visitor *visitor, struct error *err);
int64_t supervisor_last_event(struct supervisor *supervisor);
/* done is called when there is one after that id, at until_mono, or at the end. */
void supervisor_wait_events(struct supervisor *supervisor, int64_t after, int64_t until_mono,
                            wait_done *done, void *context);

/* ---- the daemon ---- */

/* What the service's tree uses now; reads files, so not for a callback. false: unknown. */
bool supervisor_usage(struct supervisor *supervisor, const char *name, struct usage *ret_usage);

struct reload_result {
    struct string_list added, removed, changed, unchanged;
    struct string_list restart_required; /* keys of supervisor.conf that wait for a new daemon */
    struct problems problems;
    bool applied; /* false: strict and something is wrong, nothing was changed */
};
/* Reads supervisor.conf's services_dir again and applies what changed. */
int supervisor_reload(struct supervisor *supervisor, bool strict, const struct identity *who,
                      struct reload_result *ret_result, struct error *err);
void reload_result_deinit(struct reload_result *result);

/* New requests are refused, what is queued is cancelled, services are stopped in reverse order
 * within shutdown_timeout; leave: they go on running for the next daemon. closed is called on an
 * own thread when all is done. A second call changes nothing. */
void supervisor_shutdown(struct supervisor *supervisor, bool leave, void (*closed)(void *context),
                         void *context);
/* Whether new operations would be accepted now; else text (256) says why not. */
bool supervisor_accepting(struct supervisor *supervisor, char text[static 256]);
/* Whether a worker takes a turn and the watcher fires within a second; blocks until known. */
bool supervisor_alive(struct supervisor *supervisor);

struct logs;
struct logs *supervisor_logs(struct supervisor *supervisor);
const struct config *supervisor_config(struct supervisor *supervisor);
struct watcher;
struct watcher *supervisor_watcher(struct supervisor *supervisor); /* until supervisor_free() */
