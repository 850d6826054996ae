/* screen - where the output goes: a terminal or not, and what may be sent there.
 * Threads: one. Ownership: nothing is owned. */
#pragma once

#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>

enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_BUSY, COLOUR_BAD, COLOUR_FAINT };

struct screen {
    bool terminal; /* stdout is one */
    bool colour;
    bool rewrites;        /* lines may be written anew in place */
    size_t rows, columns; /* of the terminal */
};

void screen_init(struct screen *screen);

/* The sequences around coloured text; "" without colour. */
const char *colour_begin(const struct screen *screen, enum colour colour);
const char *colour_end(const struct screen *screen, enum colour colour);

/* Makes bytes fit to be seen: control characters, what is not UTF-8 and what changes the direction
 * of text become \xNN; tabs pass, newlines too when lines is set. May be fed in pieces. */
struct harmless {
    bool lines;
    unsigned char held[4]; /* of a sequence that has not ended yet */
    size_t count, need;
};
void harmless_feed(struct harmless *h, const char *s, size_t n, struct text *to);
void harmless_end(struct harmless *h, struct text *to);

/* A single line, at once. NULL appends nothing. */
void harmless_append(struct text *to, const char *s);
void harmless_print(FILE *to, const char *s);
