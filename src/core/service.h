/* service - one service: its queue of operations, its mail, its machine.
 *
 * A service is a mailbox. Whoever has something for it (an operation that was accepted, an exit, a
 * deadline that passed) puts it into the mail under the service's lock; a service with mail stands
 * once on the run queue; the worker that takes it gives it a turn (turn.c). Equal mail is merged,
 * so no flood can grow it.
 *
 * Threads: `lock` guards what is marked; what is marked "turn" belongs to the worker whose turn it
 * is, which the run queue makes exactly one at a time; `view` and `dependents` are as they say.
 * Ownership: a service is never freed before the supervisor is: a removed one is only hidden. */
#pragma once

#include "backend/backend.h"
#include "backend/watcher.h"
#include "base/list.h"
#include "base/lock.h"
#include "board.h"
#include "core/supervisor.h"
#include "journal/journal.h"
#include "journal/marks.h"
#include "logs/logs.h"
#include "machine.h"
#include "op_queue.h"
#include "run_queue.h"

struct host;
struct log;

extern struct lock_class service_lock_class;

enum mail_bit {
    MAIL_LOOK = 1 << 0, /* the queue, a dependency or the world has changed */
    MAIL_SPEC = 1 << 1,
    MAIL_TOLD = 1 << 2, /* a reload waits until what it has told is shown: see settle.h */
    MAIL_STARTED = 1 << 3,
    MAIL_START_ERROR = 1 << 4,
    MAIL_READY = 1 << 5,
    MAIL_MAIN_EXITED = 1 << 6,
    MAIL_TREE_GONE = 1 << 7,
    MAIL_BEGUN = 1 << 8, /* the beginning of the operation `begun` is committed */
    MAIL_OPERATION_DEADLINE = 1 << 9,
    MAIL_STATE_DEADLINE = 1 << 10,
    MAIL_OUTPUT = 1 << 11, /* the last lines for the operation `output_for` */
    MAIL_CANCEL =
        1 << 12, /* the operation `cancel` is to be given up, `cancel_text` says by whom */
    MAIL_GIVE_UP = 1 << 13,  /* the daemon shuts down: what runs is given up, but for a stop */
    MAIL_KILL = 1 << 14,     /* the shutdown has run out of time */
    MAIL_RELOADED = 1 << 15, /* the reload command has exited */
    MAIL_UNIT = 1 << 16,     /* the unit was seen */
    MAIL_JOB = 1 << 17,      /* what was asked of the unit is through */
};

struct mail {
    unsigned bits;
    pid_t pid;
    struct service_spec *spec; /* SPEC: the new one, NULL: the old one stands */
    char *config_error;        /* SPEC: why the file is refused; NULL: it is not */
    struct exit_cause exit, reload_exit;
    int64_t begun;
    uint64_t job_request; /* the newest */
    bool job_well;
    struct enclosure *enclosed; /* NULL: none */
};

/* What seldom comes with mail. */
struct enclosure {
    char *start_error, *reload_error, *cancel_text;
    int64_t output_for, cancel;
    struct string_list output;
    struct unit_seen *unit; /* the newest */
    char *job_detail;
};

/* What the daemon's log says of the service's own. */
struct log_told {
    int error, rotate_error;
};

/* Nothing was seen yet. */
extern const struct unit_seen unit_unseen;

/* A start that this service has asked of one that it requires or wants. */
struct pulled {
    struct service *service;
    struct op *op;
};

/* In an order that leaves few holes: there is one for each service. */
struct service {
    struct host *host;

    struct lock lock;
    struct op_queue queue GUARDED_BY(service_lock_class);
    struct op *active GUARDED_BY(service_lock_class); /* written in the turn only */
    struct mail mail GUARDED_BY(service_lock_class);
    bool scheduled GUARDED_BY(service_lock_class); /* on the run queue, or in its turn */
    bool due GUARDED_BY(service_lock_class);       /* to be put on the run queue */
    bool closing GUARDED_BY(service_lock_class);   /* nothing more is accepted */
    bool refused GUARDED_BY(service_lock_class);   /* its file is: it may only be stopped */
    bool can_reload GUARDED_BY(service_lock_class);
    bool stays GUARDED_BY(service_lock_class); /* a unit that does not end with the daemon */
    bool coalesces GUARDED_BY(service_lock_class);
    int64_t queue_limit GUARDED_BY(service_lock_class);
    int64_t default_timeout_us GUARDED_BY(service_lock_class);
    int64_t mail_generation GUARDED_BY(service_lock_class); /* mail of other instances is dropped */
    struct run_item run;                                    /* its place on the run queue */

    /* Of operations whose end stands in the mark and not yet in the journal. */
    atomic_int ends_in_mark;

    /* For others to look at without a lock: see depend.h. */
    atomic_uint view;

    /* The registry's. */
    struct service *next_in_bucket;
    struct service **dependents;
    size_t dependent_count;
    struct service_spec *latest; /* a reference to the newest good one */
    atomic_bool watched;         /* has dependents */
    bool removed;
    bool known; /* its file is there, good or bad */

    /* Turn: what it knows of itself. */
    bool dirty, hidden;
    bool begin_written;           /* it is committed, but the service is not at rest */
    bool begin_waits;             /* active waits for its beginning to be committed */
    bool output_waits;            /* active has ended but for its last lines */
    bool resumed_active;          /* active had begun under an earlier daemon */
    bool reload_runs;             /* a reload command whose end has not been told */
    bool unit_known;              /* the unit was seen */
    bool counts_as_unseen;        /* the boot waits for its first sight */
    bool was_written;             /* `written` is there */
    bool was_marked;              /* `mark` is */
    bool unmarked;                /* it can't be marked */
    struct service_spec *spec;    /* the newest */
    uint64_t spec_digest;         /* of it */
    struct service_spec *running; /* the one that the instance began with, as far as it is known;
                                     NULL: no instance */
    uint64_t running_digest;      /* of the one that it really began with; 0: no instance */
    char *config_error;
    struct instance *standby;          /* the next one, made ahead while a restart stops this one */
    struct service_spec *standby_spec; /* a reference */
    struct machine machine;
    struct instance *instance;
    const struct unit_seen *unit; /* of a unit: as it was seen last, its own; or unit_unseen */
    uint64_t invocation;          /* the last one that counts as a generation */
    char *job_detail;             /* what systemd's answer means */
    struct log *log;
    struct log_told log_told;
    int64_t log_mark;
    int64_t generation, restarts;
    struct exit_cause last_exit;
    char *start_error, *reload_error;
    struct exit_cause reload_exit;
    int64_t reload_mark;
    char *given_up; /* by whom or what, for the operation that is just being given up */
    int64_t state_since_utc;
    struct deadline operation_deadline, state_deadline;
    int64_t operation_due, state_due; /* 0: not set */
    int64_t next_attempt_utc;
    struct step *ended; /* with output_waits: how; else NULL */
    int64_t ended_utc;  /* when active did, as its mark says; 0: not yet */
    char *waiting_for;  /* the dependency that the head of the queue waits for */
    int64_t waiting_op; /* its id */
    struct pulled *pulled;
    size_t pulled_count;
    struct service_standing written; /* the last one given to the journal */
    struct mark mark;                /* the last one written */
    struct mark_place *mark_place;   /* NULL: not asked for yet, or it can't be had */
    struct board_entry *place;
    struct list announce; /* ended in this turn, a reference each */
    char name[];
};

struct service *service_new(struct host *host, struct service_spec *spec);
void service_free(struct service *service);
/* The turn's: the ends in its mark, made when there are none. NULL without memory: then an end is
 * not marked, and is given to the journal at once. */
struct mark_end *service_ends(struct service *service);

void service_lock(struct service *service) ACQUIRE(service_lock_class);
/* Puts it on the run queue as well, when it has been posted to. */
void service_unlock(struct service *service) RELEASE(service_lock_class);

/* Puts bits (that carry nothing) into the mail, and the service on the run queue. */
void service_post(struct service *service, unsigned bits) EXCLUDES(service_lock_class);
void service_post_locked(struct service *service, unsigned bits) REQUIRES(service_lock_class);
/* A reload waits until the turn that reads it is shown, as it does for a spec: see settle.h. */
void service_post_told(struct service *service, unsigned bits) EXCLUDES(service_lock_class);
void service_post_spec(struct service *service, struct service_spec *spec, char *config_error)
    EXCLUDES(service_lock_class); /* takes both */
void service_post_begun(struct service *service, int64_t id) EXCLUDES(service_lock_class);
void service_post_output(struct service *service, int64_t id, const struct string_list *lines)
    EXCLUDES(service_lock_class);
/* The backend's listener: owner is the service. */
void service_post_event(void *owner, const struct backend_event *event)
    EXCLUDES(service_lock_class);

/* The mail's, made when there is none; NULL without memory. */
struct enclosure *service_enclosed(struct service *service) REQUIRES(service_lock_class);
/* Takes what is in the mail; false: nothing. mail_deinit() what was taken. */
bool service_take_mail(struct service *service, struct mail *ret_mail) EXCLUDES(service_lock_class);
void mail_deinit(struct mail *mail);
/* The end of a turn: back on the run queue if there is mail again. */
void service_rest(struct service *service) EXCLUDES(service_lock_class);

/* ---- the queue: reserve.c ---- */

struct reserve_wish {
    enum mode mode;
    bool only_if_needed;
    enum coalesce coalesce;
    int64_t *batch; /* the first that is reserved gives the batch its id; NULL: it is none */
    char busy[96];  /* RESERVE_BUSY: with what */
};
enum reserve_result {
    RESERVED,
    RESERVE_NOT_NEEDED,
    RESERVE_FULL,
    RESERVE_NEVER, /* not even an empty queue could hold them */
    RESERVE_BUSY,
    RESERVE_NO_RELOAD,
    RESERVE_CLOSING,
    RESERVE_REFUSED,
};
/* Takes places in line and ids for all of ops, or for none; they may begin only once they are
 * committed. On RESERVED the queue has taken a reference of each. */
enum reserve_result service_reserve(struct service *service, struct op **ops, size_t count,
                                    struct reserve_wish *wish) EXCLUDES(service_lock_class);
/* The acceptance is in the journal: the operation may begin. False: the service is closing by now,
 * and the caller has to end it. */
bool service_committed(struct service *service, struct op *op) EXCLUDES(service_lock_class);
/* An operation of the last daemon takes its place again. */
void service_requeue(struct service *service, struct op *op) EXCLUDES(service_lock_class);

enum withdraw { WITHDRAW_ALONE, WITHDRAW_ALONG /* with those that joined it */ };
/* Takes op out of the queue, or out of the one that it joined, if it still stands there: true: the
 * caller now ends it (or forgets it), and has the queue's reference. */
bool service_withdraw(struct service *service, struct op *op, enum withdraw how)
    EXCLUDES(service_lock_class);
/* Puts an automatic operation in line and makes it runnable; the journal is told, not asked. A
 * start joins the automatic one that waits already. A reference for the caller; NULL: no memory or
 * closing. */
struct op *service_push_automatic(struct service *service, enum action action, enum origin origin)
    EXCLUDES(service_lock_class);
/* Asks the turn to give up the operation if it runs and can be; text (taken) is its detail. False:
 * it doesn't, or can't. */
bool service_post_cancel(struct service *service, struct op *op, char *text)
    EXCLUDES(service_lock_class);
/* Whether its end has been told, and so can be seen on the board. */
bool service_announced(struct op *op) EXCLUDES(service_lock_class);
/* Whether people may know of it: its acceptance is committed. */
bool service_visible(struct op *op) EXCLUDES(service_lock_class);
/* A copy of the record as it is now, with its position. 0 or -ENOMEM. */
int service_copy_operation(struct op *op, struct operation *ret_operation)
    EXCLUDES(service_lock_class);
