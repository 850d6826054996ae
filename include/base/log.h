/* log - the daemon's own log: one line an event, with a level.
 * Threads: any, after log_open(); lines have one owner. Ownership: the target is the process's;
 * log_close() ends it. */
#pragma once

#include "base/error.h"

#include <stddef.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_target { LOG_TARGET_AUTO, LOG_TARGET_STDERR, LOG_TARGET_JOURNAL, LOG_TARGET_FILE };

/* AUTO is the journal when stderr is connected to it, else stderr. path is for FILE only; the file
 * is made with mode 0640. Before the first call everything goes to stderr at level INFO. */
int log_open(enum log_target target, enum log_level level, const char *path, struct error *err);
void log_close(void);
void log_set_level(enum log_level level); /* at any time */

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Lines that are written together, as many at a time as a pipe takes whole, so that they don't mix
 * with those of other threads. Begin with len = 0; what is still in it is written by log_written().
 */
struct log_lines {
    size_t len;
    char data[4096]; /* PIPE_BUF */
};
void log_gather(struct log_lines *lines, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void log_written(struct log_lines *lines);
