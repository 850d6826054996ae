/* A position is one number for both streams: the sum of what each has given. What the sum was made
 * of is kept of the last ones that were given out. */
#include "move.h"

#include "base/clock.h"
#include "trouble.h"
#include "wait.h"

#include <errno.h>
#include <stdlib.h>

void move_begin(struct channel *ch)
{
    logs_lock(ch->log->logs);
    ch->log->moving = true;
    logs_unlock(ch->log->logs);
}

/* ---- positions ---- */

static int64_t position_of(const struct log *log, enum stream stream) REQUIRES(logs_lock_class)
{
    const struct channel *ch = log->channels[stream];

    return ch ? ch->captured + (int64_t)fifo_waiting(ch->fifo_fd) : 0;
}

static int64_t position_now(struct log *log) REQUIRES(logs_lock_class)
{
    int64_t out = position_of(log, STREAM_STDOUT);
    int64_t sum = out + position_of(log, STREAM_STDERR);

    if (log->marks && (log->marked == 0 || log->marks[(log->marked - 1) % MARKS].sum != sum))
        log->marks[log->marked++ % MARKS] = (struct mark){.sum = sum, .out = out};
    return sum;
}

int move_mark(struct log *log)
{
    if (!log->marks)
        log->marks = calloc(MARKS, sizeof *log->marks);
    if (!log->marks)
        return -ENOMEM;
    position_now(log);
    return 0;
}

int64_t log_position(struct log *log)
{
    int64_t position;

    logs_lock(log->logs);
    if (log->unit) {
        position = clock_mono_us();
    } else if (log->moving) {
        uint64_t move = log->moves;

        log->position_waits++;
        while (log->moves == move)
            cond_wait(&log->logs->moved, &log->logs->lock);
        log->position_waits--;
        position = log->position; /* of that move or of a later one: in both cases since the call */
    } else {
        position = position_now(log);
    }
    logs_unlock(log->logs);
    return position;
}

/* The marks around it: the last that is not after it, the first that is not before it. */
static void find_marks(const struct log *log, int64_t position, struct mark *before,
                       struct mark *after) REQUIRES(logs_lock_class)
{
    size_t kept = log->marked < MARKS ? log->marked : MARKS;

    for (size_t i = log->marked - kept; i < log->marked; i++) {
        const struct mark *mark = &log->marks[i % MARKS];

        if (mark->sum <= position)
            *before = *mark;
        if (mark->sum < position)
            continue;
        *after = *mark;
        return;
    }
}

int64_t move_position(struct log *log, int64_t position, enum stream stream)
{
    struct mark before = {0}, after, found;

    logs_lock(log->logs);
    after.out = position_of(log, STREAM_STDOUT);
    after.sum = after.out + position_of(log, STREAM_STDERR);
    find_marks(log, position, &before, &after);
    logs_unlock(log->logs);
    /* One that is no longer kept: between two marks it is exact when stderr was silent there, else
     * too late rather than too early. */
    found = before;
    if (before.sum != position && before.sum - before.out == after.sum - after.out)
        found = (struct mark){.sum = position, .out = before.out + (position - before.sum)};
    else if (before.sum != position)
        found = after;
    return stream == STREAM_STDOUT ? found.out : found.sum - found.out;
}

int64_t move_captured(struct channel *ch)
{
    int64_t captured;

    logs_lock(ch->log->logs);
    captured = ch->captured;
    logs_unlock(ch->log->logs);
    return captured;
}

/* ---- the end of a move ---- */

/* What was written heals the file; true: that is to be told. */
static bool count(struct channel *ch, const struct moved *moved, struct list *ready)
    REQUIRES(logs_lock_class)
{
    ch->captured += (int64_t)moved->taken;
    ch->filed += (int64_t)moved->filed;
    ch->log->trouble.dropped_bytes += moved->dropped;
    if (moved->filed == 0)
        return false;
    ch->file_error = 0;
    wait_take_channel(ch, ready);
    return trouble_refresh(ch->log);
}

static void finish(struct channel *ch, const struct moved *moved, bool moves)
{
    struct log *log = ch->log;
    struct list ready;
    bool healed;

    list_init(&ready);
    logs_lock(log->logs);
    healed = count(ch, moved, &ready);
    if (moves) {
        log->moving = false;
        log->moves++;
        if (log->position_waits > 0) {
            log->position = position_now(log);
            cond_broadcast(&log->logs->moved);
        }
    }
    logs_unlock(log->logs);
    if (healed)
        trouble_tell(log);
    wait_end(&ready);
}

void move_end(struct channel *ch, const struct moved *moved)
{
    finish(ch, moved, true);
}

void move_count(struct channel *ch, const struct moved *moved)
{
    finish(ch, moved, false);
}
