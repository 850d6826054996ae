#include "trouble.h"

#include <errno.h>

static int first_error(int error, int other)
{
    return error ? error : other;
}

bool trouble_refresh(struct log *log)
{
    struct log_trouble *trouble = &log->trouble;
    int error = 0, rotate_error = 0;
    bool changed;

    for (int stream = 0; stream < STREAMS; stream++) {
        const struct channel *ch = log->channels[stream];

        if (!ch)
            continue;
        error = first_error(error, first_error(ch->file_error, ch->console_error));
        rotate_error = first_error(rotate_error, first_error(ch->rotate_error, ch->compress_error));
    }
    changed = error != trouble->error || rotate_error != trouble->rotate_error;
    if (error && !trouble->error)
        trouble->times++;
    trouble->error = error;
    trouble->rotate_error = rotate_error;
    return changed;
}

void trouble_tell(struct log *log)
{
    struct logs *logs = log->logs;

    if (logs->trouble && !logs->finishing)
        logs->trouble(logs->context, log->name);
}

void trouble_update(struct log *log)
{
    bool changed;

    logs_lock(log->logs);
    changed = trouble_refresh(log);
    logs_unlock(log->logs);
    if (changed)
        trouble_tell(log);
}

void log_trouble(struct log *log, struct log_trouble *ret_trouble)
{
    logs_lock(log->logs);
    *ret_trouble = log->trouble;
    logs_unlock(log->logs);
}

bool logs_find_trouble(struct logs *logs, const char *service, struct log_trouble *ret)
{
    const struct log *log;

    logs_lock(logs);
    log = logs_find(logs, service);
    if (log)
        *ret = log->trouble;
    logs_unlock(logs);
    return log != NULL;
}
