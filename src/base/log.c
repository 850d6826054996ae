/* Where the daemon's own lines go.
 * Threads: any thread writes; no write(2) or sd_journal_send(3) has a part of a line, so lines
 * never mix. Ownership: the target is the process's: opened once in main before other threads
 * start. */
#include "base/log.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>

#define LEVEL_WIDTH 9
#define LINE_SIZE   2048

static struct {
    int fd;
    bool journal;
    atomic_int level;
} target = {.fd = STDERR_FILENO, .level = LOG_LEVEL_INFO};

/* systemd tells with JOURNAL_STREAM which socket is the journal's; stderr may have been moved. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&target.level, (int)level, memory_order_relaxed);
}

int log_open(enum log_target where, enum log_level level, const char *path, struct error *err)
{
    int fd = STDERR_FILENO;

    if (where == LOG_TARGET_FILE) {
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
        if (fd < 0)
            return error_set(err, -errno, "open %s: %m", path);
    }
    target.journal =
        where == LOG_TARGET_JOURNAL || (where == LOG_TARGET_AUTO && stderr_is_journal());
    log_set_level(level);
    target.fd = fd;
    return 0;
}

void log_close(void)
{
    if (target.fd != STDERR_FILENO)
        close(target.fd);
    target.fd = STDERR_FILENO;
    target.journal = false;
}

static bool is_told(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&target.level, memory_order_relaxed);
}

/* A name or a message from outside must not forge a line. */
static void take_controls_out(char *line)
{
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
}

/* Its length, the newline included; without a NUL behind it. */
static size_t make_line(char line[static LINE_SIZE], enum log_level level, const char *format,
                        va_list arguments)
{
    static const char names[][LEVEL_WIDTH + 1] = {" error   ", " warning ", " info    ",
                                                  " debug   "};
    size_t len;

    clock_format_utc(clock_utc_us(), line);
    len = strlen(line);
    memcpy(line + len, names[level], LEVEL_WIDTH);
    len += LEVEL_WIDTH;
    vsnprintf(line + len, LINE_SIZE - len - 1, format, arguments);
    take_controls_out(line + len);
    len += strlen(line + len);
    line[len++] = '\n';
    return len;
}

static void write_out(const char *data, size_t len)
{
    ssize_t n;

    for (; len > 0; data += n, len -= (size_t)n) {
        do
            n = write(target.fd, data, len);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
            return; /* it has nowhere to be told */
    }
}

/* False: the journal is not there, and the line goes where there is no other place. */
static bool send_line(enum log_level level, const char *format, va_list arguments)
{
    static const int priorities[] = {3, 4, 6, 7}; /* syslog's */
    char line[LINE_SIZE];

    vsnprintf(line, sizeof line, format, arguments);
    take_controls_out(line);
    return sd_journal_send("MESSAGE=%s", line, "PRIORITY=%i", priorities[level],
                           "SYSLOG_IDENTIFIER=orderlyd", NULL) == 0;
}

static void gather(struct log_lines *lines, enum log_level level, const char *format,
                   va_list arguments)
{
    va_list again;
    bool sent;

    va_copy(again, arguments);
    sent = target.journal && send_line(level, format, again);
    va_end(again);
    if (sent)
        return;
    if (lines->len > sizeof lines->data - LINE_SIZE)
        log_written(lines);
    lines->len += make_line(lines->data + lines->len, level, format, arguments);
}

void log_gather(struct log_lines *lines, enum log_level level, const char *format, ...)
{
    va_list arguments;

    if (!is_told(level))
        return;
    va_start(arguments, format);
    gather(lines, level, format, arguments);
    va_end(arguments);
}

void log_written(struct log_lines *lines)
{
    if (lines->len > 0)
        write_out(lines->data, lines->len);
    lines->len = 0;
}

void log_line(enum log_level level, const char *format, ...)
{
    struct log_lines lines;
    va_list arguments;

    if (!is_told(level))
        return;
    lines.len = 0;
    va_start(arguments, format);
    gather(&lines, level, format, arguments);
    va_end(arguments);
    log_written(&lines);
}
