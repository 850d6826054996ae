#include "base/nearest.h"

#include <ctype.h>
#include <string.h>

#define LONGEST 64

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Damerau's distance with adjacent swaps, case ignored; LONGEST + 1 when a word is too long. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 1], la = strlen(a), lb = strlen(b);

    if (la > LONGEST || lb > LONGEST)
        return LONGEST + 1;
    for (size_t j = 0; j <= lb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);

            row[j] = smaller(smaller(above[j] + 1, row[j - 1] + 1), above[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
                cb == tolower((unsigned char)a[i - 2]))
                row[j] = smaller(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[la % 3][lb];
}

void nearest_offer(struct nearest *best, const char *candidate)
{
    size_t d = distance(best->typed, candidate);
    size_t longest =
        strlen(best->typed) > strlen(candidate) ? strlen(best->typed) : strlen(candidate);

    if (d > 1 && d * 3 > longest) /* a third of the letters may be wrong */
        return;
    if (!best->word || d < best->distance) {
        best->word = candidate;
        best->distance = d;
    }
}

const char *nearest_word(const char *typed, const char *const words[], size_t count)
{
    struct nearest best = {.typed = typed};

    for (size_t i = 0; i < count; i++)
        nearest_offer(&best, words[i]);
    return best.word;
}
