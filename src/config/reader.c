#include "reader.h"

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

void reader_init(struct reader *r, char *text, size_t len, struct report *report)
{
    *r = (struct reader){.report = report, .next = text, .end = text + len, .line = 1};
    text[len] = '\0';
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        r->next += 3; /* the mark that some editors put at the start */
}

void reader_deinit(struct reader *r)
{
    free(r->pieces);
    r->pieces = NULL;
}

struct place reader_place(const struct reader *r, size_t offset)
{
    size_t low = 0, high = r->piece_count;

    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (r->pieces[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return (struct place){
        .line = r->pieces[low].at.line,
        .column = r->pieces[low].at.column + (int)(offset - r->pieces[low].offset),
    };
}

static void broken(struct reader *r, struct place at, const char *message)
{
    r->report->unclear = true;
    report_error(r->report, at, NULL, "%s", message);
}

static bool add_piece(struct reader *r, size_t offset, int line)
{
    if (r->piece_count == r->piece_capacity) {
        size_t capacity = r->piece_capacity ? 2 * r->piece_capacity : 8;
        struct piece *grown = realloc(r->pieces, capacity * sizeof *grown);

        if (!grown)
            return false;
        r->pieces = grown;
        r->piece_capacity = capacity;
    }
    r->pieces[r->piece_count++] = (struct piece){offset, {line, 1}};
    return true;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static char *skip_blanks(char *s)
{
    while (blank(*s))
        s++;
    return s;
}

/* Only the first byte that is wrong in a line is told: rubbish has many. */
static bool check_bytes(struct reader *r, const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        struct place at = {r->line, (int)i + 1};
        size_t len = utf8_length(s + i, n - i);

        if (len > 0 && !utf8_control(s + i)) {
            i += len;
            continue;
        }
        r->report->unclear = true;
        if (len == 0)
            report_error(r->report, at, NULL, "byte 0x%02x: this is not UTF-8 text",
                         (unsigned char)s[i]);
        else if (s[i] == '\0')
            report_error(r->report, at, NULL, "a NUL byte: this is not a text file");
        else
            report_error(r->report, at, NULL, "control character 0x%02x: only tabs may stand here",
                         (unsigned char)s[i + len - 1]);
        return false;
    }
    return true;
}

/* One line of the file, without its end; next stands behind it. */
struct physical {
    char *start;
    size_t len;
    bool good, comment, goes_on;
};

static struct physical take_physical(struct reader *r, bool first)
{
    struct physical p = {.start = r->next};
    char *end = memchr(r->next, '\n', (size_t)(r->end - r->next));
    const char *word = p.start;

    r->next = end ? end + 1 : r->end;
    p.len = (size_t)((end ? end : r->end) - p.start);
    if (p.len > 0 && p.start[p.len - 1] == '\r')
        p.len--;
    while (word < p.start + p.len && blank(*word))
        word++;
    p.comment = first && word < p.start + p.len && (*word == '#' || *word == ';');
    p.good = check_bytes(r, p.start, p.len);
    p.goes_on = !p.comment && p.len > 0 && p.start[p.len - 1] == '\\';
    p.len -= p.goes_on;
    return p;
}

enum line_result { LINE_GOOD, LINE_SKIP, LINE_BROKEN };

/* Appends a line to the one that it goes on; false: it can't be. */
static bool join(struct reader *r, const struct physical *p, int line)
{
    if (r->len + p->len > READER_LINE_MOST || !add_piece(r, r->len, line))
        return false;
    memmove(r->text + r->len, p->start, p->len); /* never to the right */
    r->len += p->len;
    return true;
}

/* The next line, with those that it goes on in. */
static enum line_result take_line(struct reader *r)
{
    struct place start = {r->line, 1};
    bool good = true, fits = true;
    struct physical p;

    r->text = r->next;
    r->len = r->piece_count = 0;
    do {
        p = take_physical(r, r->line == start.line);
        good = p.good && good;
        fits = fits && join(r, &p, r->line);
        r->line++;
    } while (p.goes_on && r->next < r->end);
    if (!fits)
        broken(r, start, "the line is too long: 64 KiB is the most, continued ones included");
    if (p.goes_on)
        broken(r, (struct place){r->line - 1, (int)p.len + 1},
               "the file ends in a \"\\\" that lets the line go on");
    if (p.comment)
        return LINE_SKIP;
    r->text[r->len] = '\0'; /* where a newline, a backslash or the end was */
    return good && fits && !p.goes_on ? LINE_GOOD : LINE_BROKEN;
}

static void trim_end(char *s, char *end)
{
    while (end > s && blank(end[-1]))
        end--;
    *end = '\0';
}

/* Keys below a header that is broken belong to what it was meant to be, as far as that is clear. */
static void take_section(struct reader *r, char *open, struct item *item)
{
    char *name = skip_blanks(open + 1), *close = strchr(open, ']');
    struct place at = reader_place(r, (size_t)(open - r->text));

    if (!close) {
        broken(r, at, "a section is written [name]; the \"]\" is missing");
        close = r->text + r->len;
    } else if (*skip_blanks(close + 1)) {
        broken(r, reader_place(r, (size_t)(skip_blanks(close + 1) - r->text)),
               "nothing may follow the \"]\" of a section; a comment needs a line of its own");
    }
    trim_end(name, close > name ? close : name);
    *item = (struct item){.kind = ITEM_SECTION, .name = name, .at = at};
}

static bool take_pair(struct reader *r, char *key, struct item *item)
{
    struct place at = reader_place(r, (size_t)(key - r->text));
    char *equals = strchr(key, '='), *value;

    if (!equals || equals == key) {
        broken(r, at,
               equals ? "there is no key before the \"=\""
                      : "expected \"key = value\"; there is no \"=\" in this line");
        return false;
    }
    value = skip_blanks(equals + 1);
    trim_end(value, r->text + r->len);
    trim_end(key, equals);
    *item = (struct item){.kind = ITEM_PAIR,
                          .name = key,
                          .at = at,
                          .value = value,
                          .value_offset = (size_t)(value - r->text)};
    return true;
}

bool reader_next(struct reader *r, struct item *ret_item)
{
    while (r->next < r->end && !report_full(r->report)) {
        enum line_result result = take_line(r);
        char *word = skip_blanks(r->text);

        if (result == LINE_SKIP || (result == LINE_GOOD && *word == '\0'))
            continue;
        if (result == LINE_BROKEN && *word != '[')
            continue;
        if (result == LINE_BROKEN) {
            *ret_item = (struct item){.kind = ITEM_SECTION};
            return true;
        }
        if (*word == '[') {
            take_section(r, word, ret_item);
            return true;
        }
        if (take_pair(r, word, ret_item))
            return true;
    }
    return false;
}
