/* Where the daemon's own lines go.
 * Threads: any thread writes; one write(2) or sd_journal_send(3) a line, so lines never mix.
 * Ownership: the target is the process's: opened once in main before other threads start. */
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

void log_line(enum log_level level, const char *format, ...)
{
    static const char names[][LEVEL_WIDTH + 1] = {" error   ", " warning ", " info    ",
                                                  " debug   "};
    static const int priorities[] = {3, 4, 6, 7}; /* syslog's */
    char line[2048];
    va_list arguments;
    size_t len = 0;

    if ((int)level > atomic_load_explicit(&target.level, memory_order_relaxed))
        return;
    if (!target.journal) {
        clock_format_utc(clock_utc_us(), line);
        len = strlen(line);
        memcpy(line + len, names[level], LEVEL_WIDTH);
        len += LEVEL_WIDTH;
    }
    va_start(arguments, format);
    vsnprintf(line + len, sizeof line - len - 1, format, arguments);
    va_end(arguments);
    for (char *c = line; *c; c++) /* a name or a message from outside must not forge a line */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    if (target.journal && sd_journal_send("MESSAGE=%s", line, "PRIORITY=%i", priorities[level],
                                          "SYSLOG_IDENTIFIER=orderlyd", NULL) == 0)
        return;
    len = strlen(line);
    line[len++] = '\n';
    while (write(target.fd, line, len) < 0 && errno == EINTR)
        continue; /* any other failure has nowhere to be told */
}
