/* backend - how a service's instances are really run: as a tree of processes (process.h) or as a
 * systemd unit (systemd.h). The core knows nothing but these seven calls and the events that come
 * back.
 *
 * An instance of processes is one run of them: start makes it, TREE_GONE ends it. That of a unit is
 * the watch over the unit, whatever state it is in: adopt makes it, and what is asked of it becomes
 * a job of systemd's.
 *
 * Threads: calls on one instance come from the worker whose turn its service has, one at a time;
 * events come from a thread of the backend's, never from within a call, in the order in which they
 * happened for one instance, and only after *ret_instance was written; they may come before start
 * or adopt has returned. release waits for an event that is being told, so a listener calls nothing
 * here: it posts mail.
 * Ownership: prepare, start and adopt give an instance that the core owns until release. */
#pragma once

#include "base/error.h"
#include "model/exit_cause.h"
#include "model/names.h"
#include "model/service_spec.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct backend;
struct instance;

enum backend_event_kind {
    BACKEND_STARTED,     /* the program itself runs now */
    BACKEND_START_ERROR, /* it does not, detail says why; MAIN_EXITED and TREE_GONE follow */
    BACKEND_READY,       /* it has told so */
    BACKEND_RELOADED,    /* the reload that was asked for is through: exit says how, detail adds */
    BACKEND_MAIN_EXITED, /* exit says how */
    BACKEND_TREE_GONE,   /* no process of it is left; always the last, after MAIN_EXITED */
    /* Of units, and these alone of them: */
    BACKEND_UNIT_SEEN, /* unit tells how it is now; the first comes within some seconds, whatever is
                          wrong with the bus */
    BACKEND_JOB_ENDED, /* request was carried out, or not: well; detail says more (or NULL). What
                          became of the unit has been told just before. */
};

/* A unit as systemd has just told of it. */
struct unit_seen {
    enum service_state state; /* by the table in unit_table.c */
    bool wanted_known;        /* the state tells what somebody wants of it */
    enum goal wanted;
    bool recovers;            /* systemd starts it again itself: Restart= is not no */
    bool config_changed;      /* NeedDaemonReload: its files are newer than what is loaded */
    pid_t pid;                /* MainPID; 0: none */
    int64_t restarts;         /* NRestarts: it goes back to 0 now and then */
    int64_t since_utc;        /* that it runs, or that it is down; 0: unknown */
    uint64_t invocation;      /* of InvocationID; 0: none */
    struct exit_cause exit;   /* of the main process that was last */
    char invocation_id[33];   /* as text; "" */
    char active[24], sub[32]; /* as systemd calls its state */
    char place[256];          /* its control group in the file system; "": none */
    char advice[256]; /* what is unwise: its own timeouts are longer than ours; "": nothing */
    char fault[256];  /* why it cannot be driven: not found, masked, the bus is away; "": it can */
};

struct backend_event {
    enum backend_event_kind kind;
    int64_t generation;
    pid_t pid;                    /* STARTED: the main process */
    struct exit_cause exit;       /* MAIN_EXITED, RELOADED */
    const char *detail;           /* START_ERROR, RELOADED (or NULL); valid during the call */
    const struct unit_seen *unit; /* UNIT_SEEN; valid during the call */
    uint64_t request;             /* JOB_ENDED: instance.request as it was when that was asked */
    bool well;                    /* JOB_ENDED */
    bool more;                    /* the next one follows at once: this one alone is no hurry */
};

/* How far the instance was when it was written down last. */
enum instance_phase { PHASE_STARTING, PHASE_RUNNING, PHASE_STOPPING };

/* An instance that the last daemon left behind, as read from the instance file. */
struct instance_record {
    char service[SERVICE_NAME_MAX + 1];
    int64_t generation;
    enum instance_phase phase;
    int64_t started_mono;
};

/* What every kind of instance shows; its own data follows it. */
struct instance {
    const struct backend_ops *ops;
    uint64_t request;   /* of a unit: how often something was asked; older ones' ends are void */
    int64_t generation; /* 0: a unit */
    pid_t pid; /* of the main process; 0: not known yet, the core stores what STARTED says */
    enum containment containment;
    const char *place; /* where its processes are, for usage_read(): a control group; NULL: none */
};

/* What an instance begins with; all borrowed. */
struct launch {
    const struct service_spec *spec;
    int64_t generation;
    const char *fifo;          /* takes stdout, and stderr too unless it has its own */
    const char *error_fifo;    /* takes stderr; NULL: merged */
    bool restart;              /* of a unit: RestartUnit, not StartUnit */
    struct instance *prepared; /* what prepare() made of the same spec and generation, which start
                                  takes, also when it fails; NULL: none */
};

/* Whom a signal is for. */
enum reach {
    REACH_MAIN,   /* the main process alone; of a unit: a request, KillUnit */
    REACH_GROUP,  /* its process group; everything that is left once it has exited; of a unit,
                     whatever the signal: a request, StopUnit */
    REACH_TREE,   /* everything, SIGKILL only; may be repeated; of a unit: no request */
    REACH_RELOAD, /* the reload command that runs, SIGKILL only; of a unit: the request that is
                     under way is forgotten, and if it is not with systemd yet it never will be; a
                     job that reloads is cancelled */
};

typedef void backend_listener(void *owner, const struct backend_event *event);

/* A backend begins with this. */
struct backend {
    const struct backend_ops *ops;
};

struct backend_ops {
    /* The next instance, as far as it can be made while this one still stops: all but its record,
     * at its gate. It begins with start(), or ends with release(), and tells nothing before. NULL:
     * there is no such thing, and an error only means that start() does it all. */
    int (*prepare)(struct backend *backend, const struct launch *launch, void *owner,
                   struct instance **ret_instance, struct error *err);
    /* A unit: *ret_instance is the one that adopt gave; a request. Processes: prepares, writes the
     * instance down, and lets it go; the outcome comes as an event. -errno: nothing was started and
     * no event follows. */
    int (*start)(struct backend *backend, const struct launch *launch, void *owner,
                 struct instance **ret_instance, struct error *err);
    /* Takes over what a record tells of; when nothing of it lives, MAIN_EXITED and TREE_GONE come
     * as events; STARTED comes only if its main process had not been written down yet. -ENOENT: the
     * record belongs to no open instance. A unit: begins to watch it, record is NULL. */
    int (*adopt)(struct backend *backend, const struct service_spec *spec,
                 const struct instance_record *record, void *owner, struct instance **ret_instance,
                 struct error *err);
    /* A process that has gone already is no error, but for REACH_MAIN: -ESRCH. */
    int (*signal)(struct instance *instance, int signal, enum reach reach, struct error *err);
    /* Runs launch->spec's reload_argv beside the main process, in its tree, as its user, with
     * MAINPID in the environment; RELOADED follows when it has exited, also when TREE_GONE ended
     * it. One at a time. -errno: it does not run and no event follows. A unit: a request. */
    int (*reload)(struct instance *instance, const struct launch *launch, struct error *err);
    /* Writes down how far it is. Never fails, never blocks. Not for units. */
    void (*mark)(struct instance *instance, enum instance_phase phase);
    /* Forgets it: after TREE_GONE its record is closed; before, it stays for the next daemon. A
     * unit is left as it is. */
    void (*release)(struct instance *instance);
};
