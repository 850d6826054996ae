/* process_instance - one run of a service as child processes, and the backend it belongs to.
 *
 * Threads: everything that happens to an instance is found out and told on the watcher's thread
 * (progress.c, ending.c, reports.c, telling.c); a worker starts, signals, kills and releases. What
 * both touch is under the instance's lock; descriptors are opened before the first watch and closed
 * after the last. Ownership: an instance is the core's until release; it refers to its backend. */
#pragma once

#include "backend/process.h"
#include "base/lock.h"
#include "group_watch.h"
#include "instances.h"
#include "spawner.h"
#include "tree.h"

#include <sys/resource.h>

struct process_backend {
    struct backend base;
    struct watcher *watcher;
    backend_listener *listener;
    char *runtime_dir, *executor;
    char identity[BOOT_IDENTITY_SIZE];
    uint64_t boot;        /* its hash */
    uint64_t token;       /* of this runtime_dir in this boot */
    struct rlimit nofile; /* as we were given it */
    struct string_list environment;
    struct spawner spawner;
    struct instances *instances;
    struct group_watch *group_watch;
    int ready_copy[2];     /* a pipe of the watcher's: ready_told() */
    struct lock renewing;  /* of the parent, one at a time */
    char *parent;          /* where groups are made; NULL: best effort */
    const char *no_parent; /* why there is none */
    uint32_t parent_number;
};

/* The parent has gone, and the scope that it was in perhaps, because somebody has killed all that
 * was there: it is made again, with what the spec's limits need. May wait some seconds for systemd.
 */
int process_parent_again(struct process_backend *backend, const struct service_spec *spec,
                         struct error *err);

static inline struct process_backend *process_of(struct backend *backend)
{
    return (struct process_backend *)backend; /* it begins with it */
}

/* Why the instance's deadline was set. */
enum wake {
    WAKE_LOST,      /* adopted: nothing of it is left */
    WAKE_MAIN_LOST, /* adopted: the main process has gone, the tree has not */
    WAKE_STATUS,    /* the exit status has not come */
    WAKE_GROUP,     /* its group has changed */
    WAKE_HUNT,      /* its executor was killed: kill what it has left */
    WAKE_FIND_MAIN, /* adopted: the executor has not said what its main process is */
};

extern struct lock_class instance_lock_class; /* for the compiler only */

/* A reload command, from its beginning until it is told of. */
struct reload {
    struct process_instance *instance;
    struct watch watch;        /* of its pidfd */
    struct deadline abandoned; /* it could not be begun after all */
    struct service_spec *spec; /* a reference; with it the descriptors are open */
    int pidfd, socket;
    bool held; /* the tree's end has waited for it; the watcher's thread alone */
};

#define NO_SLOT SIZE_MAX

struct process_instance {
    struct instance base;
    struct process_backend *backend;
    void *owner;
    struct service_spec *spec; /* a reference */
    char *marker;              /* ORDERLY_INSTANCE=... */
    char *group;               /* NULL: best effort, and the executor stays */
    size_t slot;               /* NO_SLOT: it is not written down yet */
    uint64_t spawned_ticks;
    pid_t spawned; /* by us, and not written down yet */
    bool ours;     /* our child, not an adopted one */
    struct lock lock;

    int pidfd; /* of the main process; of the executor where that stays */
    int socket, ready_fd;
    struct watch pid_watch, socket_watch, ready_watch, main_watch;
    struct reload *reload; /* NULL: there never was one; as `reloading` */
    struct deadline wake;
    struct group_wait group_wait;
    enum wake wake_for;

    /* The watcher's thread alone, once it is watched. */
    pid_t reported_pid; /* where the executor stays: the main process, as it has said */
    bool watched, executing, empty, ready_seen, group_watched, group_discarded;
    bool outcome_told, ready_told, main_told, gone_told;
    int64_t pause; /* until it looks again */

    bool released GUARDED_BY(instance_lock_class);
    bool started GUARDED_BY(instance_lock_class); /* the program runs, or did */
    bool main_gone GUARDED_BY(instance_lock_class);
    bool tree_gone GUARDED_BY(instance_lock_class);
    bool reloading GUARDED_BY(instance_lock_class);  /* until it has been reaped */
    bool reload_ran GUARDED_BY(instance_lock_class); /* ever, for this daemon */
    pid_t main_pid GUARDED_BY(instance_lock_class);  /* 0: not known (yet) */
    int main_fd GUARDED_BY(instance_lock_class);     /* pidfd of it; -1 */
    pid_t executor GUARDED_BY(instance_lock_class);  /* that stays; 0: none, or it has gone */
    int pending_signal GUARDED_BY(instance_lock_class);
    pid_t reload_pid GUARDED_BY(instance_lock_class); /* 0: none, or it has been reaped */
    uint64_t executor_ticks;
};

static inline void instance_lock(struct process_instance *p)
    ACQUIRE(instance_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_take(&p->lock);
}

static inline void instance_unlock(struct process_instance *p)
    RELEASE(instance_lock_class) NO_THREAD_SAFETY_CHECK
{
    lock_release(&p->lock);
}

/* An instance with nothing open; NULL without memory. */
struct process_instance *process_instance_new(struct process_backend *backend,
                                              struct service_spec *spec, const char *name,
                                              int64_t generation, void *owner);
/* Closes what is open; nothing may be watched any more. */
void process_instance_free(struct process_instance *p);

/* progress.c: sets the watches' callbacks, watches what is open. Events may come before it
 * returns. */
void progress_init(struct process_instance *p);
int progress_watch(struct process_instance *p, struct error *err);
void progress_wake(struct process_instance *p, enum wake why, int64_t at_mono);
/* Watcher's thread: the longer it has gone on, the later. */
void progress_look_again(struct process_instance *p, enum wake why);
/* After it no callback of the instance runs, nor will. */
void progress_end(struct process_instance *p);
/* What of it is to be found in /proc. */
struct tree process_instance_tree(struct process_instance *p);

extern const struct backend_ops process_ops;

/* start.c and adopt.c, the calls of backend_ops. */
int process_prepare(struct backend *backend, const struct launch *launch, void *owner,
                    struct instance **ret_instance, struct error *err);
int process_start(struct backend *backend, const struct launch *launch, void *owner,
                  struct instance **ret_instance, struct error *err);
/* Of one that was prepared and not started: nothing but the executor is there. */
void process_undo(struct process_instance *instance);
int process_adopt(struct backend *backend, const struct service_spec *spec,
                  const struct instance_record *record, void *owner, struct instance **ret_instance,
                  struct error *err);

/* ready.c: the FIFO of readiness `fd`. Its path; the caller frees; NULL without memory. */
char *ready_path(const struct process_backend *backend, const char *service);
/* Makes it anew, so that nothing an earlier instance wrote can be in it: a descriptor. */
int ready_make(const char *path, const struct service_spec *spec, struct error *err);
/* The one that is there. */
int ready_open(const char *path);
/* Looks at what is there through copy, an empty pipe: whether a newline is in it. */
bool ready_told(const int copy[static 2], int fd);
/* Nobody has it open (any more). */
bool ready_closed(const char *path);
