/* backend - how a service's instances are really run. The core knows nothing but these six calls
 * and the events that come back.
 *
 * Threads: calls on one instance come from the worker whose turn its service has, one at a time;
 * events come from a thread of the backend's, never from within a call, in the order in which they
 * happened for one instance, and only after *ret_instance was written; they may come before start
 * or adopt has returned. release waits for an event that is being told, so a listener calls nothing
 * here: it posts mail.
 * Ownership: start and adopt give an instance that the core owns until release. */
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
};

struct backend_event {
    enum backend_event_kind kind;
    int64_t generation;
    pid_t pid;              /* STARTED: the main process */
    struct exit_cause exit; /* MAIN_EXITED, RELOADED */
    const char *detail;     /* START_ERROR, RELOADED (or NULL); valid during the call */
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
    int64_t generation;
    pid_t pid; /* of the main process; 0: not known yet, the core stores what STARTED says */
    enum containment containment;
    const char *place; /* where its processes are, for usage_read(): a control group; NULL: none */
};

/* What an instance begins with; all borrowed. */
struct launch {
    const struct service_spec *spec;
    int64_t generation;
    const char *fifo;       /* takes stdout, and stderr too unless it has its own */
    const char *error_fifo; /* takes stderr; NULL: merged */
};

/* Whom a signal is for. */
enum reach {
    REACH_MAIN,   /* the main process alone */
    REACH_GROUP,  /* its process group; everything that is left once it has exited */
    REACH_TREE,   /* everything, SIGKILL only; may be repeated */
    REACH_RELOAD, /* the reload command that runs, SIGKILL only */
};

typedef void backend_listener(void *owner, const struct backend_event *event);

struct backend_ops {
    /* Prepares, writes the instance down, and lets it go; the outcome comes as an event.
     * -errno: nothing was started and no event follows. */
    int (*start)(struct backend *backend, const struct launch *launch, void *owner,
                 struct instance **ret_instance, struct error *err);
    /* Takes over what a record tells of; when nothing of it lives, MAIN_EXITED and TREE_GONE come
     * as events; STARTED comes only if its main process had not been written down yet. -ENOENT: the
     * record belongs to no open instance. */
    int (*adopt)(struct backend *backend, const struct service_spec *spec,
                 const struct instance_record *record, void *owner, struct instance **ret_instance,
                 struct error *err);
    /* A process that has gone already is no error, but for REACH_MAIN: -ESRCH. */
    int (*signal)(struct instance *instance, int signal, enum reach reach, struct error *err);
    /* Runs launch->spec's reload_argv beside the main process, in its tree, as its user, with
     * MAINPID in the environment; RELOADED follows when it has exited, also when TREE_GONE ended
     * it. One at a time. -errno: it does not run and no event follows. */
    int (*reload)(struct instance *instance, const struct launch *launch, struct error *err);
    /* Writes down how far it is. Never fails, never blocks. */
    void (*mark)(struct instance *instance, enum instance_phase phase);
    /* Forgets it: after TREE_GONE its record is closed; before, it stays for the next daemon. */
    void (*release)(struct instance *instance);
};
