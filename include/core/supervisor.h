/* supervisor - the services of this host, and everything that may be asked of them.
 *
 * Threads: every call here is for any thread and never waits for a service, a commit or the disk
 * (but supervisor_find() and supervisor_list() read the journal). Callbacks are called exactly
 * once, from whatever thread brought the news, or from the caller's own before the call returns; no
 * lock is held; they must not block. Ownership: what a call returns is the caller's; callbacks lend
 * what they are given. */
#pragma once

#include "base/error.h"
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
};
int supervisor_new(const struct supervisor_config *config, struct service_set *set,
                   struct problems *problems, struct supervisor **ret_supervisor,
                   struct error *err);
/* Ends every wait now and for good: before http_stop(). */
void supervisor_release_waits(struct supervisor *supervisor);
/* Leaves what runs running. NULL is fine. */
void supervisor_free(struct supervisor *supervisor);

/* ---- asking for an operation ---- */

struct request {
    const char *service;
    enum action action;
    int64_t timeout_us; /* 0: the service's own */
    struct identity who;
};

enum accept_result {
    ACCEPTED,
    REFUSED_UNKNOWN_SERVICE,     /* nearest says what may have been meant */
    REFUSED_CONFIG,              /* its file is refused: detail is file:line: message */
    REFUSED_QUEUE_FULL,          /* the service's queue */
    REFUSED_TOTAL_FULL,          /* the queues of all services together */
    REFUSED_CLOSING,             /* the daemon is shutting down */
    REFUSED_JOURNAL_UNAVAILABLE, /* not committed within 5 s; detail says why */
};

struct acceptance {
    enum accept_result result;
    const struct operation *operation; /* ACCEPTED: its record at this moment */
    const char *detail;                /* "" when there is nothing to add */
    const char *nearest;               /* NULL: none */
};
typedef void accept_done(void *context, const struct acceptance *acceptance);
void supervisor_submit(struct supervisor *supervisor, const struct request *request,
                       accept_done *done, void *context);

enum cancel_result {
    CANCEL_DONE,      /* it ended `cancelled`; answer when supervisor_wait_written() has called */
    CANCEL_NOT_YOURS, /* the supervisor's own: *ret_operation says which */
    CANCEL_UNKNOWN,   /* no such operation */
    CANCEL_TOO_LATE   /* it runs, or has ended: *ret_operation says which */
};
enum cancel_result supervisor_cancel(struct supervisor *supervisor, int64_t id,
                                     const struct identity *who, struct operation *ret_operation);

/* ---- operations ---- */

enum find_result { FIND_FOUND, FIND_UNKNOWN, FIND_PRUNED, FIND_UNREADABLE };
enum find_result supervisor_find(struct supervisor *supervisor, int64_t id,
                                 struct operation *ret_operation, struct error *err);

struct operation_filter {
    const char *service; /* NULL: all */
    int state;           /* enum operation_state; -1: all */
    int64_t before;      /* 0: all */
    size_t limit;
};
/* Newest first; the caller frees the array after operation_deinit() of each. */
int supervisor_list(struct supervisor *supervisor, const struct operation_filter *filter,
                    struct operation **ret_operations, size_t *ret_count, struct error *err);

typedef void wait_done(void *context);
/* done is called when the operation has ended, at until_mono (CLOCK_NEVER: not), or when the
 * supervisor is freed. */
void supervisor_wait_operation(struct supervisor *supervisor, int64_t id, int64_t until_mono,
                               wait_done *done, void *context);

/* done is called when the end of an operation is in the journal, at until_mono, or when the
 * supervisor is freed; supervisor_written() tells which. */
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

/* ---- the daemon ---- */

struct reload_result {
    struct string_list added, removed, changed, unchanged;
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
