/* One service's log: opening it, and what is asked about it from other threads. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "state.h"
#include "wait.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

void log_free(struct log *log)
{
    if (!log)
        return;
    closep(&log->fifo_fd);
    closep(&log->file_fd);
    free(log->fifo_path);
    free(log);
}

static void log_freep(struct log **log)
{
    log_free(*log);
}

/* Services of any user must be able to pass, whatever our umask. */
static int make_folder(const char *path, struct error *err)
{
    if (mkdir(path, 0755) < 0)
        return errno == EEXIST ? 0 : error_set(err, -errno, "make folder %s: %m", path);
    return chmod(path, 0755) < 0 ? error_set(err, -errno, "set the mode of %s: %m", path) : 0;
}

static int open_fifo(struct log *log, const struct service_spec *spec, struct error *err)
{
    CLEANUP(freep) char *folder = NULL;
    int result;

    if (asprintf(&folder, "%s/%s", log->logs->runtime_dir, log->name) < 0) {
        folder = NULL;
        return error_set(err, -ENOMEM, "open the log of %s: %m", log->name);
    }
    if (asprintf(&log->fifo_path, "%s/out", folder) < 0) {
        log->fifo_path = NULL;
        return error_set(err, -ENOMEM, "open the log of %s: %m", log->name);
    }
    result = make_folder(folder, err);
    if (result == 0)
        result = fifo_open(log->fifo_path, &log->fifo_fd, err);
    return result < 0 ? result : fifo_own(log->fifo_fd, spec, err);
}

static int make(struct logs *logs, const struct service_spec *spec, struct log **ret_log,
                struct error *err)
{
    CLEANUP(log_freep) struct log *log = calloc(1, sizeof *log);
    int result;

    if (!log)
        return error_set(err, -ENOMEM, "open the log of %s: %m", spec->name);
    log->logs = logs;
    log->fifo_fd = log->file_fd = -1;
    snprintf(log->name, sizeof log->name, "%s", spec->name);
    log->files = (struct log_files){.dir_fd = logs->dir_fd, .service = log->name};
    list_init(&log->in_paused);
    result = open_fifo(log, spec, err);
    if (result < 0)
        return result;
    log->file_fd = files_open_current(&log->files);
    if (log->file_fd < 0)
        return error_set(err, log->file_fd, "open the file %s.log: %m", log->name);
    *ret_log = take(log);
    return 0;
}

static void set_limits(struct log *log, const struct service_spec *spec) REQUIRES(logs_lock_class)
{
    log->max_size = spec->log_max_size;
    log->max_files = spec->log_max_files;
}

/* The first whose name is not below name. */
static size_t place_of(const struct logs *logs, const char *name) REQUIRES(logs_lock_class)
{
    size_t low = 0, high = logs->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(logs->all[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct log *logs_find(struct logs *logs, const char *name)
{
    size_t place = place_of(logs, name);

    if (place == logs->count || strcmp(logs->all[place]->name, name) != 0)
        return NULL;
    return logs->all[place];
}

struct log *logs_at(struct logs *logs, size_t index)
{
    struct log *log;

    logs_lock(logs);
    log = index < logs->count ? logs->all[index] : NULL;
    logs_unlock(logs);
    return log;
}

/* From here on the thread may use it. */
static int publish(struct log *log) REQUIRES(logs_lock_class)
{
    struct logs *logs = log->logs;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = log};
    size_t place = place_of(logs, log->name);
    struct log **grown = realloc(logs->all, (logs->count + 1) * sizeof *grown);

    if (!grown)
        return -ENOMEM;
    logs->all = grown;
    if (epoll_ctl(logs->epoll_fd, EPOLL_CTL_ADD, log->fifo_fd, &event) < 0)
        return -errno;
    memmove(grown + place + 1, grown + place, (logs->count - place) * sizeof *grown);
    grown[place] = log;
    logs->count++;
    wait_adopt(log);
    return 0;
}

/* Of two that open the same service at once, the second gets the log of the first. */
static int add(struct log *made, const struct service_spec *spec, struct log **ret_log,
               struct error *err)
{
    struct logs *logs = made->logs;
    struct log *log;
    int result = 0;

    logs_lock(logs);
    log = logs_find(logs, spec->name);
    if (!log) {
        list_init(&made->waiters);
        set_limits(made, spec);
        result = publish(made);
        log = made;
    }
    logs_unlock(logs);
    if (result < 0 || log != made)
        log_free(made);
    if (result < 0)
        return error_set(err, result, "watch the log of %s: %m", spec->name);
    *ret_log = log;
    return 0;
}

int log_open_service(struct logs *logs, const struct service_spec *spec, struct log **ret_log,
                     struct error *err)
{
    struct log *log;
    int result;

    logs_lock(logs);
    log = logs_find(logs, spec->name);
    if (log)
        set_limits(log, spec);
    logs_unlock(logs);
    if (!log) {
        result = make(logs, spec, &log, err);
        return result < 0 ? result : add(log, spec, ret_log, err);
    }
    result = fifo_own(log->fifo_fd, spec, err);
    if (result == 0)
        *ret_log = log;
    return result;
}

const char *log_fifo(const struct log *log)
{
    return log->fifo_path;
}

int64_t log_position(struct log *log)
{
    int64_t position;

    logs_lock(log->logs);
    if (log->moving) {
        uint64_t move = log->moves;

        log->position_waits++;
        while (log->moves == move)
            cond_wait(&log->logs->moved, &log->logs->lock);
        log->position_waits--;
        position = log->position; /* of that move or of a later one: in both cases since the call */
    } else {
        position = log->captured + (int64_t)fifo_waiting(log->fifo_fd);
    }
    logs_unlock(log->logs);
    return position;
}

void log_trouble(struct log *log, struct log_trouble *ret_trouble)
{
    logs_lock(log->logs);
    *ret_trouble = log->trouble;
    logs_unlock(log->logs);
}
