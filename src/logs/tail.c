/* Reads lines back from the files, or from the ring where no file has them as they were written;
 * when they can't be kept, from the FIFO too. */
#include "tail.h"

#include "capture.h"
#include "move.h"
#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE_LIMIT 1000
#define BACK_LIMIT (1 << 20)

struct tail {
    struct list link;
    struct log *log;
    int64_t since;
    size_t count;
    log_tail_done *done;
    void *context;
};

struct lines {
    struct string_list list;
    char line[LINE_LIMIT + 1];
    size_t len;
    bool begun; /* a line has begun, its end was not seen */
};

int log_tail(struct log *log, int64_t since_position, size_t count, log_tail_done *done,
             void *context)
{
    struct tail *tail = malloc(sizeof *tail);

    if (!tail)
        return -ENOMEM;
    *tail = (struct tail){
        .log = log, .since = since_position, .count = count, .done = done, .context = context};
    logs_lock(log->logs);
    list_append(&log->logs->tails, &tail->link);
    logs_unlock(log->logs);
    logs_wake(log->logs);
    return 0;
}

static void end_line(struct lines *l)
{
    l->line[l->len] = '\0';
    string_list_add(&l->list, l->line); /* without memory the line is missing */
    l->len = 0;
    l->begun = false;
}

static void add(struct lines *l, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n') {
            end_line(l);
            continue;
        }
        l->begun = true;
        if (l->len < LINE_LIMIT)
            l->line[l->len++] = data[i] != '\0' ? data[i] : '?';
    }
}

static void keep_last(struct string_list *list, size_t count)
{
    size_t excess = list->count > count ? list->count - count : 0;

    if (excess == 0)
        return;
    for (size_t i = 0; i < excess; i++)
        free(list->items[i]);
    memmove(list->items, list->items + excess, (count + 1) * sizeof *list->items);
    list->count = count;
}

static void add_files(struct lines *l, const struct channel *ch, size_t count, int64_t back)
{
    struct log_reader *reader;
    char block[16384];
    ssize_t n;

    if (back > BACK_LIMIT)
        back = BACK_LIMIT;
    if (back <= 0 || count == 0 ||
        reader_open(ch->log->logs, ch->log->name, ch->stream, count, back, &reader) < 0)
        return;
    while ((n = log_reader_read(reader, block, sizeof block)) > 0)
        add(l, block, (size_t)n);
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
    add(l, data + skip, size - skip);
}

/* skip: bytes that came before the place that is asked for. */
static void add_fifo(struct lines *l, const struct channel *ch, int64_t skip)
{
    struct peek *peek = &ch->log->logs->peek;
    ssize_t n = fifo_peek(ch->fifo_fd, peek, PEEK_MAX);

    if (n > skip)
        add(l, peek->data + skip, (size_t)(n - skip));
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
    if (l->begun)
        end_line(l);
}

static void answer(struct tail *tail)
{
    struct lines lines = {0};

    for (int stream = 0; stream < STREAMS; stream++) {
        struct channel *ch = log_channel(tail->log, (enum stream)stream);

        if (ch)
            add_channel(&lines, ch, move_position(tail->log, tail->since, ch->stream), tail->count);
    }
    keep_last(&lines.list, tail->count);
    tail->done(tail->context, &lines.list);
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

        answer(tail);
        free(tail);
    }
    return true;
}
