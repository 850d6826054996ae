/* Reads lines back from the files, or from the ring where no file has them as they were written;
 * when they can't be kept, from the FIFO too. */
#include "tail.h"

#include "capture.h"
#include "lines.h"
#include "move.h"
#include "reader.h"
#include "tail_unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BACK_LIMIT (1 << 20)

/* A copy: another spec may come while it is being looked at. */
static int set_unit(struct tail *tail, const struct log *log) REQUIRES(logs_lock_class)
{
    if (!log->unit)
        return 0;
    tail->unit = strdup(log->unit);
    tail->bus = log->bus;
    return tail->unit ? 0 : -ENOMEM;
}

int log_tail(struct log *log, int64_t since_position, size_t count, log_tail_done *done,
             void *context)
{
    struct tail *tail = malloc(sizeof *tail);
    int result;

    if (!tail)
        return -ENOMEM;
    *tail = (struct tail){
        .log = log, .since = since_position, .count = count, .done = done, .context = context};
    logs_lock(log->logs);
    result = set_unit(tail, log);
    if (result == 0)
        list_append(&log->logs->tails, &tail->link);
    logs_unlock(log->logs);
    if (result == 0)
        logs_wake(log->logs);
    else
        tail_end(tail, NULL);
    return result;
}

void tail_end(struct tail *tail, const struct string_list *lines)
{
    if (lines)
        tail->done(tail->context, lines);
    free(tail->unit);
    free(tail);
}

static void add_files(struct lines *l, const struct channel *ch, size_t count, int64_t back)
{
    struct log_reader *reader;
    char block[16384];
    ssize_t n;

    if (back > BACK_LIMIT)
        back = BACK_LIMIT;
    if (back <= 0 || count == 0 ||
        file_reader_open(ch->log->logs, ch->log->name, ch->stream, count, back, &reader) < 0)
        return;
    while ((n = log_reader_read(reader, block, sizeof block)) > 0)
        lines_add(l, block, (size_t)n);
    log_reader_close(reader);
}

/* Of a line whose beginning was pushed out the rest is left out. */
static void add_ring(struct lines *l, const struct channel *ch, int64_t back)
{
    char data[RING_SIZE];
    size_t size = back > 0 ? ring_last(&ch->ring, (size_t)back, data) : 0, skip = 0;

    if (size == RING_SIZE && back > RING_SIZE) {
        const char *end = memchr(data, '\n', size);

        skip = end ? (size_t)(end - data) + 1 : 0;
    }
    lines_add(l, data + skip, size - skip);
}

/* skip: bytes that came before the place that is asked for. */
static void add_fifo(struct lines *l, const struct channel *ch, int64_t skip)
{
    struct peek *peek = &ch->log->logs->peek;
    ssize_t n = fifo_peek(ch->fifo_fd, peek, PEEK_MAX);

    if (n > skip)
        lines_add(l, peek->data + skip, (size_t)(n - skip));
}

static void add_channel(struct lines *l, struct channel *ch, int64_t since, size_t count)
{
    int drained = capture_drain(ch);
    int64_t captured = move_captured(ch), back = captured - since;

    if (ch->plain_since == NEVER_PLAIN)
        add_ring(l, ch, back);
    else if (since >= ch->plain_since)
        add_files(l, ch, count, back);
    else
        add_files(l, ch, count, captured - ch->plain_since + (int64_t)ch->plain_note);
    if (drained < 0)
        add_fifo(l, ch, back < 0 ? -back : 0);
    lines_end(l);
}

static void answer(struct tail *tail)
{
    struct lines lines = {0};

    for (int stream = 0; stream < STREAMS; stream++) {
        struct channel *ch = log_channel(tail->log, (enum stream)stream);

        if (ch)
            add_channel(&lines, ch, move_position(tail->log, tail->since, ch->stream), tail->count);
    }
    lines_keep_last(&lines, tail->count);
    tail_end(tail, &lines.list);
    string_list_clear(&lines.list);
}

bool tail_answer(struct logs *logs)
{
    struct list asked;

    list_init(&asked);
    logs_lock(logs);
    list_take_all(&asked, &logs->tails);
    logs_unlock(logs);
    if (list_empty(&asked))
        return false;
    list_for_each_safe(link, &asked)
    {
        struct tail *tail = list_entry(link, struct tail, link);

        if (tail->unit)
            tail_unit_answer(tail);
        else
            answer(tail);
    }
    return true;
}
