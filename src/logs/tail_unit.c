/* When systemd says that a unit has failed, what the unit has said may still lie in journald's
 * sockets; so it is asked to write first. Only root may ask: for others it is what is there. */
#include "tail_unit.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "lines.h"
#include "reader.h"
#include "tail.h"
#include "unit_journal.h"
#include "wait.h"

#define PATIENCE USEC_PER_SEC /* for journald */

/* A block more than those that were the last when it began, at most: a unit may go on talking. */
static void add_entries(struct lines *l, const struct tail *tail)
{
    const struct journal_place place = {.lines = tail->count, .since_mono = tail->since};
    struct log_reader *reader;
    char block[16384];
    ssize_t n;

    if (journal_reader_open(tail->log->logs, tail->unit, tail->bus, &place, &reader, NULL) < 0)
        return;
    while (l->list.count < tail->count && (n = log_reader_read(reader, block, sizeof block)) > 0)
        lines_add(l, block, (size_t)n);
    log_reader_close(reader);
}

static void answer(struct tail *tail)
{
    struct lines lines = {0};

    if (tail->count > 0)
        add_entries(&lines, tail);
    lines_keep_last(&lines, tail->count);
    tail_end(tail, &lines.list);
    string_list_clear(&lines.list);
}

static void written(void *context)
{
    struct tail *tail = context;

    closep(&tail->asked_fd);
    answer(tail);
}

void tail_unit_answer(struct tail *tail)
{
    tail->asked_fd = unit_journal_write_out();
    if (tail->asked_fd < 0)
        answer(tail);
    else if (!wait_watch(tail->log->logs, tail->asked_fd, clock_mono_us() + PATIENCE, written,
                         tail))
        written(tail);
}
