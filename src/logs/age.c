/* While the daemon lives it knows when the first byte came. Of a file that it finds, that was after
 * the file was made and after the one before it was written last: the later of both is taken. */
#include "age.h"

#include "base/clock.h"
#include "rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static void find_next(struct logs *logs)
{
    struct channel *ch;

    logs->age_next = CLOCK_NEVER;
    for (size_t i = 0; (ch = logs_next_channel(logs, &i));)
        if (ch->age_at < logs->age_next)
            logs->age_next = ch->age_at;
}

void age_set(struct channel *ch, int64_t at)
{
    struct logs *logs = ch->log->logs;
    int64_t old = ch->age_at;

    ch->age_at = at;
    if (at <= logs->age_next)
        logs->age_next = at;
    else if (old == logs->age_next)
        find_next(logs);
}

void age_begin(struct channel *ch, const struct settings *s)
{
    if (s->max_age_us > 0)
        age_set(ch, clock_mono_us() + s->max_age_us);
}

static int64_t utc_of(int64_t seconds, int64_t nanoseconds)
{
    return seconds * USEC_PER_SEC + nanoseconds / 1000;
}

/* About when the first byte came; where nobody knows, the last one must do. */
static int64_t first_byte(const struct channel *ch, const struct stat *st)
{
    int64_t written = utc_of(st->st_mtim.tv_sec, st->st_mtim.tv_nsec), born = INT64_MIN;
    struct timespec rotated;
    struct statx stx;

    if (statx(ch->file_fd, "", AT_EMPTY_PATH, STATX_BTIME, &stx) == 0 &&
        (stx.stx_mask & STATX_BTIME))
        born = utc_of(stx.stx_btime.tv_sec, stx.stx_btime.tv_nsec);
    if (files_last_rotation(&ch->files, &rotated) == 0 &&
        utc_of(rotated.tv_sec, rotated.tv_nsec) > born)
        born = utc_of(rotated.tv_sec, rotated.tv_nsec);
    return born == INT64_MIN || born > written ? written : born;
}

void age_look(struct channel *ch, const struct settings *s)
{
    int64_t age;
    struct stat st;

    if (s->max_age_us == 0 || ch->file_fd < 0 || fstat(ch->file_fd, &st) < 0 || st.st_size == 0) {
        age_set(ch, CLOCK_NEVER);
        return;
    }
    age = clock_utc_us() - first_byte(ch, &st);
    if (age < 0) /* the clock was set back */
        age = 0;
    age_set(ch, clock_mono_us() + (age < s->max_age_us ? s->max_age_us - age : 0));
}

void age_run(struct logs *logs, int64_t now)
{
    struct channel *ch;

    if (logs->age_next > now)
        return;
    for (size_t i = 0; (ch = logs_next_channel(logs, &i));) {
        struct settings s;
        int result;

        if (ch->age_at > now)
            continue;
        log_settings(ch->log, &s);
        result = rotate_when_possible(ch, &s);
        age_set(ch, result < 0 && result != -EBUSY && result != -ENODATA ? now + USEC_PER_SEC
                                                                         : CLOCK_NEVER);
    }
}
