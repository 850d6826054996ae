#include "channel.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

void channel_free(struct channel *ch)
{
    if (!ch)
        return;
    closep(&ch->fifo_fd);
    closep(&ch->file_fd);
    outbox_deinit(&ch->outbox);
    ring_deinit(&ch->ring);
    free(ch->fifo_path);
    free(ch);
}

static void channel_freep(struct channel **ch)
{
    channel_free(*ch);
}

/* Services of any user must be able to pass, whatever our umask. */
static int make_folder(const char *path, struct error *err)
{
    if (mkdir(path, 0755) < 0)
        return errno == EEXIST ? 0 : error_set(err, -errno, "make folder %s: %m", path);
    return chmod(path, 0755) < 0 ? error_set(err, -errno, "set the mode of %s: %m", path) : 0;
}

static struct channel *channel_new(struct log *log, enum stream stream) NO_THREAD_SAFETY_CHECK
{
    char base[LOG_BASE_SIZE];
    struct channel *ch;

    files_base(log->name, stream, base);
    ch = calloc(1, sizeof *ch + strlen(base) + 1);
    if (!ch)
        return NULL;
    strcpy(ch->base, base);
    ch->log = log;
    ch->stream = stream;
    ch->fifo_fd = ch->file_fd = -1;
    ch->age_at = CLOCK_NEVER;
    ch->files = (struct log_files){.dir_fd = log->logs->dir_fd, .base = ch->base};
    list_init(&ch->in_paused);
    list_init(&ch->in_held);
    list_init(&ch->in_ready);
    list_init(&ch->in_wanted);
    list_init(&ch->in_fd_store);
    list_init(&ch->waiters);
    return ch;
}

static int open_fifo(struct channel *ch, bool must, const struct service_spec *spec,
                     struct error *err)
{
    CLEANUP(freep) char *folder = NULL;
    const char *runtime_dir = ch->log->logs->runtime_dir, *name = ch->log->name;
    int result;

    if (asprintf(&folder, "%s/%s", runtime_dir, name) < 0) {
        folder = NULL;
        return error_set(err, -ENOMEM, "open the log of %s: %m", name);
    }
    if (asprintf(&ch->fifo_path, "%s/%s", folder, ch->stream == STREAM_STDERR ? "err" : "out") <
        0) {
        ch->fifo_path = NULL;
        return error_set(err, -ENOMEM, "open the log of %s: %m", name);
    }
    if (!must && access(ch->fifo_path, F_OK) < 0)
        return -ENOENT;
    result = make_folder(folder, err);
    if (result == 0)
        result = fifo_open(ch->fifo_path, &ch->fifo_fd, err);
    return result < 0 ? result : fifo_own(ch->fifo_fd, spec, err);
}

int channel_open(struct log *log, enum stream stream, const struct service_spec *spec, bool must,
                 struct channel **ret_channel, struct error *err)
{
    CLEANUP(channel_freep) struct channel *ch = channel_new(log, stream);
    bool file = spec->output_target == OUTPUT_FILE || spec->output_target == OUTPUT_BOTH;
    int result;

    if (!ch)
        return error_set(err, -ENOMEM, "open the log of %s: %m", log->name);
    result = open_fifo(ch, must, spec, err);
    if (result == -ENOENT && !must) {
        *ret_channel = NULL;
        return 0;
    }
    if (result < 0)
        return result;
    files_clean(&ch->files);
    if (file) {
        ch->file_fd = files_open_current(&ch->files);
        if (ch->file_fd < 0)
            return error_set(err, ch->file_fd, "open the file %s.log: %m", ch->base);
    }
    *ret_channel = take(ch);
    return 0;
}
