/* systemd_backend - the systemd backend from within: two connections, the units that are watched
 * over them, and the mail that workers leave for the one thread that touches both.
 *
 * Threads: workers only write a unit's mail, under the mail's lock; everything else is the bus
 * thread's (bus_thread.c). Ownership: a unit is the core's until release, then the bus thread's,
 * which frees it; a unit refers to its bus, that to the backend. */
#pragma once

#include "backend/systemd.h"
#include "base/list.h"
#include "base/lock.h"
#include "bus_call.h"
#include "unit_outcome.h"
#include "unit_props.h"

#include <pthread.h>
#include <systemd/sd-bus.h>

#define SYSTEMD_NAME    "org.freedesktop.systemd1"
#define SYSTEMD_PATH    "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define DBUS_PROPERTIES "org.freedesktop.DBus.Properties"

#define BUSES         2
#define BUS_PATIENCE  (4500 * USEC_PER_MSEC) /* how long a bus may be away before it is told */
#define JOB_PATH_SIZE 64
#define REMOVALS      4

/* For each job and each reference of a client systemd has a match of its own on the bus, where it
 * is thrown off when it asks for more than 512. */
#define MOST_JOBS       200
#define MOST_REFERENCES 100
#define BUS_REASON_SIZE 200

extern struct lock_class mail_lock_class; /* for the compiler only */

enum bus_state {
    BUS_UNUSED,
    BUS_AWAY,    /* to be opened at retry_at */
    BUS_OPENING, /* not subscribed yet */
    BUS_UP,
};

struct bus {
    struct systemd_backend *backend;
    enum bus_type type;
    enum bus_state state;
    sd_bus *connection; /* NULL: none */
    bool manager;       /* systemd has its name on it */
    bool broken;        /* to be dropped as soon as no callback of it runs */
    int64_t tried_at, retry_at;
    int64_t away_since; /* CLOCK_NEVER: it is not away */
    bool away_told;
    unsigned tries; /* since it was up */
    char reason[BUS_REASON_SIZE];
    struct list units; /* in the order of their adoption */
    struct list busy;  /* those on which something is under way */
    struct bus_calls calls;
    size_t jobs, references; /* of ours that systemd has, or is to have */
};

struct unit_order {
    enum unit_action action;
    uint64_t request;
    int signal;
};

/* What a worker wants; all of it is taken at once. */
struct unit_mail {
    struct list link; /* in the backend's inbox */
    bool released;
    bool forget;                  /* what was ordered before */
    bool kill_before, kill_after; /* SIGKILL to all of it, before or after the order */
    bool ordered;
    struct unit_order order; /* the newest alone counts */
    int64_t timeout_us;      /* of the service's operations */
};

enum job_phase {
    JOB_NONE,
    JOB_WAITING,  /* for the bus, until deadline */
    JOB_IN_LINE,  /* until others have ended: see MOST_JOBS */
    JOB_CALLED,   /* not answered yet */
    JOB_STANDING, /* with systemd: JobRemoved will come */
    JOB_LOST,     /* the answer or the end may have been missed: the unit will tell */
    JOB_ENDED,    /* result is known: told as soon as the unit has been read again */
    JOB_REFUSED,  /* text says why: told then too */
};

/* What is under way on a unit: one order at most. */
struct unit_job {
    enum job_phase phase;
    struct unit_order order;
    int64_t deadline;
    uint8_t invocation[16];   /* when it was sent */
    char path[JOB_PATH_SIZE]; /* "": not known */
    char result[24];
    char culprit[UNIT_NAME_SIZE];
    char text[UNIT_SENTENCE_SIZE];
    bool cancel;     /* it is forgotten, and to be cancelled when its path is known */
    bool asked;      /* for the culprit, or for the type of the job that stands */
    int looks;       /* how often its main process was looked at */
    int64_t look_at; /* CLOCK_NEVER: that is not needed */
    struct bus_call *call, *question;
    struct {
        char path[JOB_PATH_SIZE], result[24];
    } removals[REMOVALS]; /* that came while it was JOB_CALLED: one may be its own */
    unsigned removed;
};

struct unit {
    struct instance base;
    struct systemd_backend *backend;
    struct bus *bus;
    void *owner;
    struct service_spec *spec; /* a reference: service and unit */
    struct unit_mail mail GUARDED_BY(mail_lock_class);

    /* The bus thread's alone. */
    struct list link; /* in bus->units */
    struct list busy; /* in bus->busy */
    bool known;       /* it is there */
    char *path;       /* NULL: not known on this connection */
    bool loaded;      /* props have been read on this connection */
    struct unit_props props;
    bool referenced;
    bool by_job; /* it is down because a job has brought it there */
    bool hint_asked;
    char hint[UNIT_NAME_SIZE]; /* a unit with a name like that of one that is not found */
    int64_t timeout_us;
    char read_fault[256]; /* why it cannot be read */
    struct bus_call *load, *read, *search;
    struct unit_seen seen; /* as it was told last */
    bool told;
    struct unit_job job;
};

struct systemd_backend {
    struct backend base;
    backend_listener *listener;
    struct lock lock;
    struct cond told; /* an event has been told */
    pthread_t thread;
    int wake;                             /* eventfd */
    char *cgroup_mount;                   /* NULL: there is no cgroup v2 here */
    char own_unit[BUSES][UNIT_NAME_SIZE]; /* that we run in; "" */
    bool running GUARDED_BY(mail_lock_class), stopping GUARDED_BY(mail_lock_class);
    struct list inbox GUARDED_BY(mail_lock_class);
    const struct unit *telling GUARDED_BY(mail_lock_class);
    size_t waiters GUARDED_BY(mail_lock_class);
    char health[BUSES][256] GUARDED_BY(mail_lock_class);
    struct bus buses[BUSES]; /* the bus thread's */
};

static inline struct systemd_backend *systemd_of(struct backend *backend)
{
    return (struct systemd_backend *)backend; /* it begins with it */
}

static inline struct unit *unit_of(struct instance *instance)
{
    return (struct unit *)instance; /* it begins with it */
}

void mail_lock(struct systemd_backend *b) ACQUIRE(mail_lock_class);
void mail_unlock(struct systemd_backend *b) RELEASE(mail_lock_class);
/* Puts the unit into the inbox and wakes the thread. */
void mail_post(struct unit *u) REQUIRES(mail_lock_class);

extern const struct backend_ops systemd_ops;
