/* A message is copied when its entry is come to: the file that it stands in may go before all of it
 * has been given. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "mapped.h"
#include "reader.h"
#include "unit_journal.h"
#include "wait.h"

#include <errno.h>
#include <string.h>

#define MESSAGE_LIMIT (1 << 20)
#define FIELD         "MESSAGE="
#define FIELD_SIZE    (sizeof FIELD - 1)

struct journal_reader {
    struct log_reader reader;
    sd_journal *journal;
    int fd;              /* the journal's own; -1: it does not follow */
    struct text message; /* of the entry that it stands at, as lines */
    size_t given;        /* of it */
};

static struct journal_reader *of(struct log_reader *reader)
{
    return list_entry(reader, struct journal_reader, reader);
}

/* ---- one entry ---- */

static bool has_no_message(int result)
{
    /* Not there, spoiled, packed in a way that is not known here. */
    return result == -ENOENT || result == -EBADMSG || result == -EPROTONOSUPPORT;
}

static void set_message(struct text *t, const char *data, size_t len)
{
    text_clear(t);
    if (len > 0 && data[len - 1] == '\n')
        len--;
    text_append_n(t, data, len < MESSAGE_LIMIT ? len : MESSAGE_LIMIT);
    for (size_t i = 0; i < t->len; i++)
        if (t->data[i] == '\0')
            t->data[i] = '?';
    text_append_n(t, "\n", 1);
}

/* 1: its message stands ready, 0: it has none, -errno. */
static int take_entry(struct journal_reader *r)
{
    const void *data;
    size_t len;
    int result = sd_journal_get_data(r->journal, "MESSAGE", &data, &len);

    r->given = 0;
    text_clear(&r->message);
    if (has_no_message(result))
        return 0;
    if (result < 0)
        return result;
    set_message(&r->message, (const char *)data + FIELD_SIZE, len - FIELD_SIZE);
    if (r->message.failed) {
        text_deinit(&r->message);
        return -ENOMEM;
    }
    return 1;
}

/* ---- going on ---- */

/* 1: the next message stands ready; 0: there is none yet; -EAGAIN: the same, but something has
 * happened to the journal; -errno. */
static int advance(struct journal_reader *r)
{
    bool moved = r->fd >= 0 && sd_journal_reliable_fd(r->journal) == 0;
    int result;

    for (;;) {
        while ((result = sd_journal_next(r->journal)) > 0) {
            result = take_entry(r);
            if (result != 0)
                return result;
        }
        if (result == 0)
            result = sd_journal_process(r->journal); /* and what came before that is looked at */
        if (result < 0)
            return result;
        if (result == SD_JOURNAL_NOP)
            return moved ? -EAGAIN : 0;
        moved = true;
    }
}

static size_t give(struct journal_reader *r, char *buffer, size_t size)
{
    size_t n = r->message.len - r->given;

    if (n > size)
        n = size;
    memcpy(buffer, r->message.data + r->given, n);
    r->given += n;
    return n;
}

static ssize_t read_entries(struct journal_reader *r, char *buffer, size_t size)
{
    size_t filled = 0;
    int result = 1;

    while (filled < size && result > 0) {
        if (r->given < r->message.len)
            filled += give(r, buffer + filled, size - filled);
        else
            result = advance(r);
    }
    return filled > 0 ? (ssize_t)filled : result;
}

static ssize_t read_journal(struct log_reader *reader, char *buffer, size_t size)
{
    struct mapped mapped;
    ssize_t n;

    mapped_begin(&mapped);
    n = read_entries(of(reader), buffer, size);
    mapped_end(&mapped);
    return n;
}

/* Where the descriptor does not tell of everything (on a network's file system), how long the
 * journal itself says that may be. */
static int64_t look_again(sd_journal *journal)
{
    uint64_t at;

    return sd_journal_get_timeout(journal, &at) > 0 && at < INT64_MAX ? (int64_t)at : CLOCK_NEVER;
}

static void wait_journal(struct log_reader *reader, int64_t until_mono, log_wait_done *done,
                         void *context)
{
    const struct journal_reader *r = of(reader);

    if (r->fd >= 0 && look_again(r->journal) < until_mono)
        until_mono = look_again(r->journal);
    if (r->fd < 0 || until_mono <= clock_mono_us() ||
        !wait_watch(reader->logs, r->fd, until_mono, done, context))
        done(context);
}

static void close_journal(struct log_reader *reader)
{
    struct journal_reader *r = of(reader);

    sd_journal_close(r->journal);
    text_deinit(&r->message);
    free(r);
}

static const struct reader_ops journal_ops = {read_journal, wait_journal, close_journal};

/* ---- the beginning ---- */

/* Whether the entry that the journal stands at is older; one of another boot is. */
static bool is_before(sd_journal *journal, int64_t since_mono)
{
    sd_id128_t boot, ours;
    uint64_t at;

    if (since_mono == INT64_MIN)
        return false;
    if (sd_journal_get_monotonic_usec(journal, &at, &boot) < 0 || sd_id128_get_boot(&ours) < 0)
        return true;
    return !sd_id128_equal(boot, ours) || (int64_t)at < since_mono;
}

static size_t count_lines(const struct text *t)
{
    size_t count = 0;

    for (size_t i = 0; i < t->len; i++)
        count += t->data[i] == '\n';
    return count;
}

/* Leaves out the first lines of the message. */
static void skip_lines(struct journal_reader *r, size_t lines)
{
    for (; lines > 0; lines--)
        r->given =
            (size_t)((char *)memchr(r->message.data + r->given, '\n', r->message.len - r->given) -
                     r->message.data) +
            1;
}

/* To the entry that the last lines begin in, which is taken, or to the one before it. 1, 0: there
 * is none so far back, -errno. */
static int go_back(struct journal_reader *r, const struct journal_place *place)
{
    size_t found = 0;

    for (;;) {
        int result = sd_journal_previous(r->journal);

        if (result <= 0)
            return result;
        if (place->lines == 0 || is_before(r->journal, place->since_mono)) {
            text_clear(&r->message); /* its entry comes next */
            return 1;
        }
        result = take_entry(r);
        if (result < 0)
            return result;
        found += count_lines(&r->message);
        if (found < place->lines)
            continue;
        skip_lines(r, found - place->lines);
        return 1;
    }
}

static int seek(struct journal_reader *r, const struct journal_place *place)
{
    int result = 0;

    if (place->lines < SIZE_MAX || place->since_mono != INT64_MIN) {
        result = sd_journal_seek_tail(r->journal);
        if (result >= 0)
            result = go_back(r, place);
    }
    if (result == 0) {
        text_clear(&r->message); /* of the first, which comes again */
        result = sd_journal_seek_head(r->journal);
    }
    return result;
}

/* Watched before anything is read, so that nothing falls in between. */
static int start_to_follow(struct journal_reader *r, struct error *err)
{
    r->fd = sd_journal_get_fd(r->journal);
    if (r->fd == -EMFILE)
        return error_set(err, r->fd,
                         "follow systemd's journal: %m (fs.inotify.max_user_instances bounds how "
                         "many can)");
    return r->fd < 0 ? error_set(err, r->fd, "follow systemd's journal: %m") : 0;
}

static int open_at(struct journal_reader *r, const char *unit, enum bus_type bus,
                   const struct journal_place *place, struct error *err)
{
    int result = unit_journal_open(unit, bus, MESSAGE_LIMIT + FIELD_SIZE, &r->journal, err);

    if (result == 0 && place->follow)
        result = start_to_follow(r, err);
    if (result < 0)
        return result;
    result = seek(r, place);
    return result < 0 ? error_set(err, result, "read the journal of %s: %m", unit) : 0;
}

int journal_reader_open(struct logs *logs, const char *unit, enum bus_type bus,
                        const struct journal_place *place, struct log_reader **ret_reader,
                        struct error *err)
{
    struct journal_reader *r = calloc(1, sizeof *r);
    struct mapped mapped;
    int result;

    if (!r)
        return error_set(err, -ENOMEM, "read the journal of %s: %m", unit);
    r->reader = (struct log_reader){&journal_ops, logs};
    r->fd = -1;
    mapped_begin(&mapped);
    result = open_at(r, unit, bus, place, err);
    mapped_end(&mapped);
    if (result < 0)
        close_journal(&r->reader);
    else
        *ret_reader = &r->reader;
    return result < 0 ? result : 0;
}
