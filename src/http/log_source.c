#include "log_source.h"

#include "base/list.h"
#include "logs/logs.h"
#include "source.h"

#include <errno.h>
#include <stdlib.h>

struct log_source {
    struct source source;
    struct log_reader *reader;
    bool follow;
    size_t lines_left; /* without follow */
};

static struct log_source *of(struct source *source)
{
    return list_entry(source, struct log_source, source);
}

/* How much of what was read belongs to the lines that were asked for. */
static ssize_t count_lines(struct log_source *s, const char *buffer, ssize_t n)
{
    for (ssize_t i = 0; i < n; i++) {
        if (s->lines_left == 0)
            return i;
        if (buffer[i] == '\n')
            s->lines_left--;
    }
    return n;
}

static ssize_t read_log(struct source *source, char *buffer, size_t size)
{
    struct log_source *s = of(source);
    ssize_t n;

    if (!s->follow && s->lines_left == 0)
        return -ENODATA;
    n = log_reader_read(s->reader, buffer, size);
    if (n < 0)
        return n == -EAGAIN ? n : -EIO;
    if (s->follow)
        return n;
    n = count_lines(s, buffer, n);
    return n > 0 ? n : -ENODATA;
}

static void wait_log(struct source *source, int64_t until_mono, void (*done)(void *context),
                     void *context)
{
    log_reader_wait(of(source)->reader, until_mono, done, context);
}

static void close_log(struct source *source)
{
    log_reader_close(of(source)->reader);
    free(of(source));
}

static const struct source_ops log_ops = {read_log, wait_log, close_log, NULL};

struct source *log_source_new(struct log_reader *reader, size_t lines, bool follow)
{
    struct log_source *s = calloc(1, sizeof *s);

    if (!s) {
        log_reader_close(reader);
        return NULL;
    }
    *s = (struct log_source){{&log_ops}, reader, follow, lines};
    return &s->source;
}
