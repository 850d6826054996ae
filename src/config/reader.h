/* reader - a configuration file, taken apart into sections and `key = value` lines.
 *
 * A `#` or `;` is a comment only as the first thing in a line; a line that ends in `\` goes on in
 * the next one, whatever stands there (a comment never goes on). What can't be read is reported,
 * and reading goes on with the next line.
 * Threads: none. Ownership: the text is the caller's and is cut up in place; what an item points to
 * holds until the next one is read. */
#pragma once

#include "report.h"

#define READER_FILE_MOST (1u << 20)
#define READER_LINE_MOST (64u << 10) /* with its continuations */

enum item_kind { ITEM_SECTION, ITEM_PAIR };

struct item {
    enum item_kind kind;
    const char *name; /* of the section or key; a section's is NULL when it can't be made out */
    struct place at;
    const char *value; /* blanks at both ends are gone */
    size_t value_offset;
};

/* Where a piece of the line, which begins at offset in it, stands in the file. */
struct piece {
    size_t offset;
    struct place at;
};

struct reader {
    struct report *report;
    char *next, *end;
    int line; /* number of the line that next stands in */
    char *text;
    size_t len;
    struct piece *pieces;
    size_t piece_count, piece_capacity;
};

/* text[len] must be writable: it becomes NUL. */
void reader_init(struct reader *reader, char *text, size_t len, struct report *report);
void reader_deinit(struct reader *reader);
/* false: the file has ended, or enough was wrong with it. */
bool reader_next(struct reader *reader, struct item *ret_item);
/* Where the byte at offset in the line of the last item stands. */
struct place reader_place(const struct reader *reader, size_t offset);
