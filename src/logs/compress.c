#include "compress.h"

#include "base/cleanup.h"
#include "pack.h"
#include "trouble.h"

#include <errno.h>
#include <sys/resource.h>

#define NICENESS 19

void compress_init(struct logs *logs) NO_THREAD_SAFETY_CHECK
{
    cond_init(&logs->compressor.cond);
    list_init(&logs->compressor.wanted);
}

void compress_deinit(struct logs *logs)
{
    cond_deinit(&logs->compressor.cond);
}

/* ---- the thread ---- */

static bool given_up(void *context)
{
    return logs_stopping(context);
}

/* 0: *ret_source has been packed; -ENOENT: there is nothing to pack. */
static int pack_one(struct logs *logs, const struct log_files *files, struct stat *ret_source)
{
    CLEANUP(closep) int source = files_open_plain(files);
    CLEANUP(closep) int pack = -1;
    int result;

    if (source < 0)
        return source;
    if (fstat(source, ret_source) < 0)
        return -errno;
    pack = files_open_pack(files);
    if (pack < 0)
        return pack;
    result = pack_file(source, ret_source, pack, given_up, logs);
    if (result < 0)
        files_drop_pack(files);
    return result;
}

/* Gives the logs' thread what there is and waits until it has taken it. */
static void hand_over(struct channel *ch, int result, const struct stat *source)
    REQUIRES(logs_lock_class)
{
    struct logs *logs = ch->log->logs;
    struct compressor *c = &logs->compressor;

    c->busy = ch;
    c->result = result;
    c->source = *source;
    logs_wake(logs);
    while (c->busy && !logs->stopping)
        cond_wait(&c->cond, &logs->lock);
}

static struct channel *next_channel(struct logs *logs) REQUIRES(logs_lock_class)
{
    struct compressor *c = &logs->compressor;
    struct channel *ch;

    while (list_empty(&c->wanted) && !logs->stopping)
        cond_wait(&c->cond, &logs->lock);
    if (logs->stopping)
        return NULL;
    ch = list_entry(c->wanted.next, struct channel, in_wanted);
    list_remove(&ch->in_wanted);
    return ch;
}

static void *run(void *argument)
{
    struct logs *logs = argument;
    struct channel *ch;

    setpriority(PRIO_PROCESS, 0, NICENESS); /* of this thread alone; without it it works too */
    logs_lock(logs);
    while ((ch = next_channel(logs))) {
        struct stat source = {0};
        int result;

        logs_unlock(logs);
        result = pack_one(logs, &ch->files, &source);
        logs_lock(logs);
        hand_over(ch, result, &source);
    }
    logs_unlock(logs);
    return NULL;
}

/* ---- the logs' thread ---- */

static int start(struct logs *logs)
{
    struct compressor *c = &logs->compressor;
    int result = 0;

    if (!c->started)
        result = thread_start(&c->thread, "compress", run, logs);
    c->started = result == 0;
    return result;
}

void compress_want(struct channel *ch)
{
    struct logs *logs = ch->log->logs;
    int result = start(logs);

    if (result < 0) {
        ch->compress_error = result;
        return;
    }
    logs_lock(logs);
    if (list_empty(&ch->in_wanted))
        list_append(&logs->compressor.wanted, &ch->in_wanted);
    cond_signal(&logs->compressor.cond);
    logs_unlock(logs);
}

static struct channel *take_over(struct logs *logs, int *ret_result, struct stat *ret_source)
{
    struct compressor *c = &logs->compressor;
    struct channel *ch;

    logs_lock(logs);
    ch = c->busy;
    *ret_result = c->result;
    *ret_source = c->source;
    logs_unlock(logs);
    return ch;
}

static void let_go_on(struct logs *logs)
{
    logs_lock(logs);
    logs->compressor.busy = NULL;
    cond_signal(&logs->compressor.cond);
    logs_unlock(logs);
}

void compress_settle(struct logs *logs)
{
    struct stat source;
    int result;
    struct channel *ch = take_over(logs, &result, &source);

    if (!ch)
        return;
    if (result == 0)
        result = files_place_pack(&ch->files, &source);
    ch->compress_error = result == -ENOENT ? 0 : result;
    if (result == 0)
        compress_want(ch); /* there may be more */
    trouble_update(ch->log);
    let_go_on(logs);
}

void compress_stop(struct logs *logs) NO_THREAD_SAFETY_CHECK
{
    struct compressor *c = &logs->compressor;

    logs_lock(logs);
    cond_signal(&c->cond);
    logs_unlock(logs);
    if (c->started)
        pthread_join(c->thread, NULL);
    if (c->busy && c->result == 0)
        files_drop_pack(&c->busy->files);
}
