/* One service's log: opening it, and what it is set to. */
#include "base/cleanup.h"
#include "base/fault.h"
#include "channel.h"
#include "fd_store.h"
#include "move.h"
#include "state.h"
#include "wait.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

/* Nobody else can see it any more. */
void log_free(struct log *log) NO_THREAD_SAFETY_CHECK
{
    if (!log)
        return;
    for (int stream = 0; stream < STREAMS; stream++)
        channel_free(log->channels[stream]);
    free(log->marks);
    free(log->unit);
    free(log);
}

/* A unit's log is the journal; what FIFOs there are of a former instance are read on. */
static int take_unit(struct log *log, const struct service_spec *spec, struct error *err)
{
    char *unit = spec_is_unit(spec) ? strdup(spec->unit) : NULL, *former;

    if (spec_is_unit(spec) && !unit)
        return error_set(err, -ENOMEM, "open the log of %s: %m", spec->name);
    logs_lock(log->logs);
    former = log->unit;
    log->unit = unit;
    log->bus = spec->bus;
    logs_unlock(log->logs);
    free(former);
    return 0;
}

static bool same_settings(const struct settings *a, const struct settings *b)
{
    return a->target == b->target && a->timestamps == b->timestamps && a->compress == b->compress &&
           a->when_full == b->when_full && a->max_size == b->max_size &&
           a->max_files == b->max_files && a->max_age_us == b->max_age_us;
}

/* Whether they are others than before. */
static bool take_settings(struct log *log, const struct service_spec *spec)
    REQUIRES(logs_lock_class)
{
    struct settings settings = {
        .target = spec->output_target,
        .timestamps = spec->log_timestamps,
        .compress = spec->log_compress,
        .when_full = spec->when_full,
        .max_size = spec->log_max_size,
        .max_files = spec->log_max_files,
        .max_age_us = spec->log_max_age_us,
    };
    bool other =
        log->separate != spec->separate_stderr || !same_settings(&log->settings, &settings);

    log->separate = spec->separate_stderr;
    log->settings = settings;
    return other;
}

/* The thread takes up what does not come by itself with the next bytes. */
static void tell_change(struct log *log)
{
    logs_lock(log->logs);
    if (list_empty(&log->in_changed))
        list_append(&log->logs->changed, &log->in_changed);
    logs_unlock(log->logs);
    logs_wake(log->logs);
}

void log_settings(struct log *log, struct settings *ret_settings)
{
    logs_lock(log->logs);
    *ret_settings = log->settings;
    logs_unlock(log->logs);
}

struct channel *log_channel(struct log *log, enum stream stream)
{
    struct channel *ch;

    logs_lock(log->logs);
    ch = log->channels[stream];
    logs_unlock(log->logs);
    return ch;
}

const char *log_fifo(const struct log *log, enum stream stream)
{
    const struct channel *ch;

    logs_lock(log->logs);
    ch = stream == STREAM_STDOUT || log->separate ? log->channels[stream] : NULL;
    if (log->unit)
        ch = NULL;
    logs_unlock(log->logs);
    return ch ? ch->fifo_path : NULL;
}

/* ---- all of them ---- */

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

struct channel *logs_next_channel(struct logs *logs, size_t *index)
{
    struct log *log;

    while ((log = logs_at(logs, *index / STREAMS))) {
        struct channel *ch = log_channel(log, (enum stream)(*index % STREAMS));

        ++*index;
        if (ch)
            return ch;
    }
    return NULL;
}

/* ---- opening ---- */

/* From here on the thread may use the channel. */
static int publish_channel(struct channel *ch) REQUIRES(logs_lock_class)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = ch};

    if (ch->stream == STREAM_STDERR && move_mark(ch->log) < 0)
        return -ENOMEM;
    if (FAULTS(log_watch) ||
        epoll_ctl(ch->log->logs->epoll_fd, EPOLL_CTL_ADD, ch->fifo_fd, &event) < 0)
        return -errno;
    ch->log->channels[ch->stream] = ch;
    wait_adopt(ch);
    return 0;
}

static int publish(struct log *log) REQUIRES(logs_lock_class)
{
    struct logs *logs = log->logs;
    size_t place = place_of(logs, log->name);
    struct log **grown = realloc(logs->all, (logs->count + 1) * sizeof *grown);

    if (!grown)
        return -ENOMEM;
    logs->all = grown;
    memmove(grown + place + 1, grown + place, (logs->count - place) * sizeof *grown);
    grown[place] = log;
    logs->count++;
    return 0;
}

/* A log without channels. Of two that make one of the same name at once, both get the first. */
static int find_or_make(struct logs *logs, const struct service_spec *spec, struct log **ret_log,
                        struct error *err)
{
    struct log *made, *log;
    int result = 0;

    logs_lock(logs);
    *ret_log = logs_find(logs, spec->name);
    logs_unlock(logs);
    if (*ret_log)
        return 0;
    made = calloc(1, sizeof *made + strlen(spec->name) + 1);
    if (!made)
        return error_set(err, -ENOMEM, "open the log of %s: %m", spec->name);
    made->logs = logs;
    strcpy(made->name, spec->name);
    logs_lock(logs);
    log = logs_find(logs, spec->name);
    if (!log) {
        log = made;
        list_init(&log->in_changed);
        result = publish(log);
    }
    logs_unlock(logs);
    if (result < 0 || log != made)
        log_free(made);
    if (result < 0)
        return error_set(err, result, "open the log of %s: %m", spec->name);
    *ret_log = log;
    return 0;
}

/* Opens the channel, which is a change, or gives the one that is there its owner. */
static int open_channel(struct log *log, enum stream stream, const struct service_spec *spec,
                        bool must, bool *change, struct error *err)
{
    struct channel *ch = log_channel(log, stream), *made = NULL;
    int result;

    if (ch)
        return fifo_own(ch->fifo_fd, spec, err);
    result = channel_open(log, stream, spec, must, &made, err);
    if (result < 0 || !made)
        return result;
    logs_lock(log->logs);
    if (!log->channels[stream]) {
        result = publish_channel(made);
        ch = result < 0 ? NULL : take(made);
        *change = true;
    }
    logs_unlock(log->logs);
    channel_free(made);
    if (ch)
        fd_store_keep(log->logs->fd_store, ch);
    return result < 0 ? error_set(err, result, "watch the log of %s: %m", log->name) : 0;
}

static int open_channels(struct log *log, const struct service_spec *spec, struct error *err)
{
    bool change;
    int result;

    logs_lock(log->logs);
    change = take_settings(log, spec);
    logs_unlock(log->logs);
    result = open_channel(log, STREAM_STDOUT, spec, true, &change, err);
    /* A former daemon may have opened it for an instance that still writes to it. */
    if (result == 0)
        result = open_channel(log, STREAM_STDERR, spec, spec->separate_stderr, &change, err);
    if (change)
        tell_change(log);
    return result;
}

int log_open_service(struct logs *logs, const struct service_spec *spec, struct log **ret_log,
                     struct error *err)
{
    struct log *log = NULL;
    int result = find_or_make(logs, spec, &log, err);

    if (result == 0)
        result = take_unit(log, spec, err);
    if (result == 0 && !spec_is_unit(spec))
        result = open_channels(log, spec, err);
    if (result == 0)
        *ret_log = log;
    return result;
}
