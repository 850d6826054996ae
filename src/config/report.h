/* report - what is wrong with one file, gathered while it is read.
 * Threads: none of its own. Ownership: report_deinit() frees the copy of the first error; the
 * problems belong to whoever asked for them. */
#pragma once

#include "config/config.h"

/* A place in a file, both from 1; line 0: the file as a whole. */
struct place {
    int line, column;
};
#define NO_PLACE ((struct place){0, 0})

/* So many errors of one file are told; more help nobody. */
#define REPORT_MOST 100

struct report {
    struct problems *problems;
    const char *file;
    size_t errors, warnings;
    /* A line could not be read, or a key or section is not known: what seems to be missing may be
     * what it was meant to be. */
    bool unclear;
    char *first; /* "KEY: MESSAGE" of the first error */
    int first_line;
};

void report_deinit(struct report *report);
/* key may be NULL. */
void report_error(struct report *report, struct place at, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void report_warning(struct report *report, struct place at, const char *key, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));
/* The rest of the file need not be read; the last error said so. */
bool report_full(const struct report *report);

/* Puts the problems from index begin on in order of file, line and column. */
void problems_sort(struct problems *problems, size_t begin);

/* What stands in a file, as a message may show it: control characters escaped, cut when it is long;
 * and in quotes. */
#define QUOTE_SIZE      96
#define SHORTENED(text) shorten((char[QUOTE_SIZE]){0}, (text))
#define QUOTED(text)    quote((char[QUOTE_SIZE]){0}, (text))
const char *shorten(char out[static QUOTE_SIZE - 1], const char *text);
const char *quote(char out[static QUOTE_SIZE], const char *text);
