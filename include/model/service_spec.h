/* service_spec - what a service's file says, resolved: names looked up, paths absolute, durations
 * in microseconds.
 * Threads: immutable once loaded, shared by reference count from any thread.
 * Ownership: spec_unref() of the last reference frees everything in it. */
#pragma once

#include "model/names.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVICE_NAME_MAX 100

/* A list of strings, NULL-terminated; items may be NULL when count is 0. */
struct string_list {
    char **items;
    size_t count;
};

/* Each section in an order that leaves no holes: there is one for each service. */
struct service_spec {
    atomic_int references;
    bool sealed; /* strings and lists lie in the same allocation */
    char *name;
    char *file; /* where it was read */

    /* [service] */
    bool set_user;                  /* uid, gid and groups are to be set */
    bool environment_file_optional; /* written with a leading '-' */
    bool autostart;
    enum backend_type backend;
    enum bus_type bus; /* whose units */
    mode_t umask;
    uid_t uid;
    gid_t gid;
    gid_t *groups;
    size_t group_count;
    char *description;
    char *unit;    /* of the systemd backend: "nginx.service"; else NULL */
    char *command; /* as written; NULL with a unit, as directory, users and environment are */
    struct string_list argv;
    char *directory;
    char *user, *home;              /* of the user it runs as; NULL: the daemon's own */
    struct string_list environment; /* KEY=VALUE */
    char *environment_file;         /* read by the executor at each start; NULL: none */
    struct string_list tags, requires, wants, after;

    /* [operation] */
    int64_t timeout_us;
    int64_t stop_timeout_us;
    int64_t queue_limit;
    enum on_timeout on_timeout; /* of a unit */
    int stop_signal;
    char *reload_command; /* as written; NULL: none; never both */
    struct string_list reload_argv;
    int reload_signal; /* 0: none */
    bool coalesce;     /* a request joins an identical one at the end of the queue */

    /* [log] */
    bool separate_stderr;
    bool log_compress, log_timestamps;
    enum output_target output_target;
    enum when_full when_full;
    int64_t log_max_age_us; /* 0: any */
    int64_t log_max_size;   /* bytes; 0: never rotated */
    int64_t log_max_files;

    /* [readiness] */
    int64_t ready_delay_us;
    int64_t ready_timeout_us;
    enum readiness_type readiness;

    /* [recovery] */
    enum restart_policy restart;
    int64_t first_delay_us, max_delay_us, stable_after_us;
    int64_t attempts; /* 0: for ever */

    /* [limits]; -1: as the daemon was given them */
    int64_t memory;    /* bytes of the whole tree; these three through cgroup controllers */
    int64_t cpu_milli; /* thousandths of a processor */
    int64_t tasks;
    int64_t nofile;
    int64_t core;
    int64_t oom_score_adjust;
    bool set_oom_score_adjust;
};

/* All defaults and a name; one reference. NULL without memory. */
struct service_spec *spec_new(const char *name);
struct service_spec *spec_ref(struct service_spec *spec);
void spec_unref(struct service_spec *spec); /* NULL is fine */
/* One that lies in a single allocation, as small as can be; takes the only reference of spec. NULL
 * without memory: spec is left as it was. */
struct service_spec *spec_seal(struct service_spec *spec);

/* Whether anything differs at all, and whether what differs takes effect only at the next start. */
bool spec_equal(const struct service_spec *a, const struct service_spec *b);
bool spec_same_instance(const struct service_spec *a, const struct service_spec *b);
/* Whether the same thing drives both: the daemon itself, or the same unit. */
bool spec_same_driver(const struct service_spec *a, const struct service_spec *b);
/* The same for two specs that make the same instance, over daemons too; never 0. */
uint64_t spec_digest(const struct service_spec *spec);

static inline bool spec_is_unit(const struct service_spec *spec)
{
    return spec->backend == BACKEND_SYSTEMD;
}

/* Whether a reload of the service means anything; a unit says so only when it is asked. */
static inline bool spec_can_reload(const struct service_spec *spec)
{
    return spec->reload_signal || spec->reload_command || spec_is_unit(spec);
}

bool service_name_valid(const char *name);

/* 0 or -ENOMEM; the string is copied. */
int string_list_add(struct string_list *list, const char *string);
void string_list_clear(struct string_list *list);
bool string_list_has(const struct string_list *list, const char *string);
