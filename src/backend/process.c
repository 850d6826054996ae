#include "backend/process.h"

#include "backend/scope.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/sys.h"
#include "cgroup.h"
#include "controllers.h"
#include "environment.h"
#include "identity.h"
#include "limits.h"
#include "process_instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Thousands of services take thousands of descriptors; they themselves get what we were given. */
static int raise_limits(struct process_backend *b, struct error *err)
{
    struct rlimit raised;

    if (getrlimit(RLIMIT_NOFILE, &b->nofile) < 0)
        return error_set(err, -errno, "read the limit of descriptors: %m");
    raised = (struct rlimit){b->nofile.rlim_max, b->nofile.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) < 0)
        return error_set(err, -errno, "raise the limit of descriptors: %m");
    return 0;
}

static int set_paths(struct process_backend *b, const struct process_backend_config *config,
                     struct error *err)
{
    struct stat st;

    b->runtime_dir = realpath(config->runtime_dir, NULL);
    if (!b->runtime_dir)
        return error_set(err, -errno, "find %s: %m", config->runtime_dir);
    b->executor = strdup(config->executor);
    if (!b->executor)
        return error_set(err, -ENOMEM, "open the backend: %m");
    if (stat(b->executor, &st) < 0 || access(b->executor, X_OK) < 0)
        return error_set(err, -errno, "find the executor %s: %m", b->executor);
    return 0;
}

static int set_identity(struct process_backend *b, struct error *err)
{
    int r = boot_identity(b->identity, err);

    if (r < 0)
        return r;
    b->boot = hash_text(HASH_SEED, b->identity);
    b->token = hash_text(b->boot, b->runtime_dir);
    r = environment_inherit(&b->environment);
    return r < 0 ? error_set(err, r, "read the environment: %m") : 0;
}

/* A folder whose name the instance file can't hold is no use: the next daemon would not find it. */
static void find_parent(struct process_backend *b, bool force_best_effort)
{
    b->no_parent = "ORDERLY_CONTAINMENT=best-effort is set";
    if (force_best_effort)
        return;
    b->parent = cgroup_find_parent(b->runtime_dir, &b->no_parent);
    if (b->parent && instances_parent_add(b->instances, b->parent, &b->parent_number) < 0) {
        b->no_parent = "the path of our own is too long to be written down";
        rmdir(b->parent);
        free(b->parent);
        b->parent = NULL;
    }
}

static int open_spawner(struct process_backend *b, unsigned workers, struct error *err)
{
    CLEANUP(freep) char *trial = NULL;
    CLEANUP(closep) int group = -1;
    int r;

    if (b->parent && asprintf(&trial, "%s/.trial", b->parent) < 0)
        trial = NULL;
    if (trial)
        group = cgroup_make(trial, NULL);
    r = spawner_init(&b->spawner, workers, group, err);
    if (trial)
        rmdir(trial);
    return r;
}

static int open_parts(struct process_backend *b, const struct process_backend_config *config,
                      struct error *err)
{
    int r = raise_limits(b, err);

    if (r == 0)
        r = set_paths(b, config, err);
    if (r == 0)
        r = set_identity(b, err);
    if (r == 0)
        r = instances_open(b->runtime_dir, &b->instances, err);
    if (r == 0) {
        find_parent(b, config->force_best_effort);
        r = open_spawner(b, config->workers, err);
    }
    if (r == 0)
        r = group_watch_new(b->watcher, &b->group_watch, err);
    if (r == 0 && pipe2(b->ready_copy, O_CLOEXEC | O_NONBLOCK) < 0)
        r = error_set(err, -errno, "make a pipe: %m");
    return r;
}

int process_backend_new(const struct process_backend_config *config, struct watcher *watcher,
                        backend_listener *listener, struct backend **ret_backend, struct error *err)
{
    struct process_backend *b = calloc(1, sizeof *b);
    int r;

    if (!b)
        return error_set(err, -ENOMEM, "open the backend: %m");
    b->base.ops = &process_ops;
    b->watcher = watcher;
    b->listener = listener;
    b->ready_copy[0] = b->ready_copy[1] = -1;
    lock_init(&b->renewing, LOCK_RENEWING);
    spawner_zero(&b->spawner);
    r = open_parts(b, config, err);
    if (r < 0) {
        process_backend_free(&b->base);
        return r;
    }
    *ret_backend = &b->base;
    return 0;
}

void process_backend_free(struct backend *backend)
{
    struct process_backend *b;

    if (!backend)
        return;
    b = process_of(backend);
    group_watch_free(b->group_watch);
    closep(&b->ready_copy[0]);
    closep(&b->ready_copy[1]);
    spawner_deinit(&b->spawner);
    instances_free(b->instances);
    if (b->parent && rmdir(b->parent) == 0) /* else there are groups in it still */
        controllers_leave(b->parent);
    string_list_clear(&b->environment);
    free(b->parent);
    free(b->runtime_dir);
    free(b->executor);
    if (b->nofile.rlim_max)
        setrlimit(RLIMIT_NOFILE, &b->nofile);
    lock_deinit(&b->renewing);
    free(b);
}

int process_parent_again(struct process_backend *b, const struct service_spec *spec,
                         struct error *err)
{
    int r;

    lock_take(&b->renewing);
    r = scope_open(b->executor, err);
    if (r >= 0)
        r = mkdir(b->parent, 0755) < 0 && errno != EEXIST ? -errno : 0;
    lock_release(&b->renewing);
    if (r < 0)
        return error_set(err, r, "make group %s again: %s", b->parent, strerrordesc_np(-r));
    return limits_prepare(b->parent, b->no_parent, spec, err);
}

/* "<service>.<generation>" */
static bool group_is_named(void *context, const char *name)
{
    struct process_backend *b = context;
    const char *dot = strrchr(name, '.');
    char service[SERVICE_NAME_MAX + 1];
    char *end;
    long long generation;

    if (!dot || (size_t)(dot - name) >= sizeof service)
        return true; /* not one of ours */
    memcpy(service, name, (size_t)(dot - name));
    service[dot - name] = '\0';
    errno = 0;
    generation = strtoll(dot + 1, &end, 10);
    return errno || *end || end == dot + 1 ||
           instances_open_record(b->instances, service, generation);
}

int process_backend_left(struct backend *backend, struct instance_record **ret_records,
                         size_t *ret_count, struct error *err)
{
    struct process_backend *b = process_of(backend);
    size_t slots = instances_count(b->instances), count = 0;
    struct instance_record *records = calloc(slots + 1, sizeof *records);
    struct instance_data data;

    if (!records)
        return error_set(err, -ENOMEM, "read the instances: %m");
    for (size_t i = 0; i < slots; i++) {
        if (!instances_read(b->instances, i, &data))
            continue;
        memcpy(records[count].service, data.service, sizeof data.service);
        records[count].generation = data.generation;
        records[count].phase = (enum instance_phase)data.phase;
        records[count++].started_mono = data.started_mono;
    }
    if (b->parent)
        cgroup_clean(b->parent, group_is_named, b);
    *ret_records = records;
    *ret_count = count;
    return 0;
}

void process_backend_capabilities(const struct backend *backend,
                                  struct process_capabilities *ret_capabilities)
{
    const struct process_backend *b = (const struct process_backend *)backend;

    *ret_capabilities = (struct process_capabilities){
        .cgroup = b->parent,
        .clone3 = b->spawner.clones,
        .exit_info = b->spawner.exit_info,
        .memory_limit = b->parent && limits_possible(b->parent, LIMIT_MEMORY),
        .cpu_limit = b->parent && limits_possible(b->parent, LIMIT_CPU),
        .tasks_limit = b->parent && limits_possible(b->parent, LIMIT_TASKS),
    };
}

bool process_backend_can_limit(const struct backend *backend, const struct service_spec *spec,
                               char text[static 256])
{
    const struct process_backend *b = (const struct process_backend *)backend;
    struct error err = {0};
    int r = limits_prepare(b->parent, b->no_parent, spec, &err);

    if (r < 0)
        snprintf(text, 256, "%.255s", err.text);
    return r == 0;
}
