/* process - the backend that runs a service as a tree of child processes, through orderly-exec.
 * Threads and ownership: as backend.h says. */
#pragma once

#include "backend/backend.h"
#include "backend/watcher.h"

struct process_backend_config {
    const char *runtime_dir; /* instances file, <service>/ready */
    const char *executor;    /* path of orderly-exec */
    unsigned workers;        /* how many threads may start at once: low descriptors kept for each */
    bool force_best_effort;  /* never use cgroups, for tests (ORDERLY_CONTAINMENT=best-effort) */
};

/* The descriptor limits are raised here to the hard one; services get back what we were given. */
int process_backend_new(const struct process_backend_config *config, struct watcher *watcher,
                        backend_listener *listener, struct backend **ret_backend,
                        struct error *err);
void process_backend_free(struct backend *backend);

/* What the last daemon left, for adopt: count records, the caller frees the array. Leftover empty
 * groups of instances that have gone are removed. */
int process_backend_left(struct backend *backend, struct instance_record **ret_records,
                         size_t *ret_count, struct error *err);

/* What this kernel and place allow, for /version and /status. */
struct process_capabilities {
    bool cgroup;                               /* a group per instance */
    bool clone3;                               /* else posix_spawn */
    bool exit_info;                            /* exit status of adopted processes */
    bool memory_limit, cpu_limit, tasks_limit; /* [limits] of services can be kept */
};
void process_backend_capabilities(const struct backend *backend,
                                  struct process_capabilities *ret_capabilities);

/* What the cgroup controllers of this place let a service be limited in; each limit that a spec
 * sets must be there, or it cannot be kept. true: it can, and the controllers are enabled for it;
 * else text says what is missing and what would help. */
bool process_backend_can_limit(const struct backend *backend, const struct service_spec *spec,
                               char text[static 256]);

/* What the whole tree of an instance uses now; -1: not known here. Any thread; reads files only,
 * so the instance may have gone meanwhile: then everything is -1. place may be NULL: pid and what
 * descends from it. */
struct usage {
    int64_t memory_bytes, cpu_us, tasks;
};
void usage_read(const char *place, pid_t pid, struct usage *ret_usage);

/* "<boot id>:<pid namespace>:<start of its pid 1>": pids and monotonic times mean something only
 * within one of these. */
#define BOOT_IDENTITY_SIZE 96
int boot_identity(char text[static BOOT_IDENTITY_SIZE], struct error *err);
