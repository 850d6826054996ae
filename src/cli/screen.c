#include "screen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void screen_init(struct screen *screen)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    struct winsize size = {0};

    *screen = (struct screen){.terminal = isatty(STDOUT_FILENO), .rows = 24, .columns = 80};
    screen->rewrites = screen->terminal && term && *term && strcmp(term, "dumb") != 0;
    screen->colour = screen->rewrites && !(no_colour && *no_colour);
    if (screen->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        screen->rows = size.ws_row ? size.ws_row : screen->rows;
        screen->columns = size.ws_col ? size.ws_col : screen->columns;
    }
}

const char *colour_begin(const struct screen *screen, enum colour colour)
{
    if (!screen->colour)
        return "";
    switch (colour) {
    case COLOUR_NONE: return "";
    case COLOUR_GOOD: return "\033[32m";
    case COLOUR_BUSY: return "\033[33m";
    case COLOUR_BAD: return "\033[31m";
    case COLOUR_FAINT: return "\033[2m";
    }
    return "";
}

const char *colour_end(const struct screen *screen, enum colour colour)
{
    return screen->colour && colour != COLOUR_NONE ? "\033[0m" : "";
}

static void append_ascii(const struct harmless *h, unsigned char c, struct text *to)
{
    if (c == '\t' || (c == '\n' && h->lines) || (c >= ' ' && c != 0x7f))
        text_append_n(to, (const char *)&c, 1);
    else
        text_appendf(to, "\\x%02x", c);
}

static size_t sequence_length(unsigned char lead)
{
    return lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* U+202A to U+202E and U+2066 to U+2069 change the order in which what follows is shown. */
static bool sequence_reorders(const unsigned char *s)
{
    return s[0] == 0xe2 && ((s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae) ||
                            (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));
}

/* Whole, and neither overlong, a surrogate, beyond the end, nor a C1 control. */
static bool sequence_shows(const unsigned char *s)
{
    return !(sequence_reorders(s) || (s[0] == 0xc2 && s[1] < 0xa0) ||
             (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
             (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f));
}

static void append_held_escaped(struct harmless *h, struct text *to)
{
    for (size_t i = 0; i < h->count; i++)
        text_appendf(to, "\\x%02x", h->held[i]);
    h->count = 0;
}

static void hold(struct harmless *h, unsigned char c, struct text *to)
{
    h->held[h->count++] = c;
    if (h->count < h->need)
        return;
    if (h->need > 1 && sequence_shows(h->held)) {
        text_append_n(to, (const char *)h->held, h->count);
        h->count = 0;
    } else {
        append_held_escaped(h, to);
    }
}

void harmless_feed(struct harmless *h, const char *s, size_t n, struct text *to)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];

        if (h->count > 0 && (c & 0xc0) != 0x80)
            append_held_escaped(h, to);
        if (c < 0x80) {
            append_ascii(h, c, to);
            continue;
        }
        if (h->count == 0)
            h->need = sequence_length(c);
        hold(h, c, to);
    }
}

void harmless_end(struct harmless *h, struct text *to)
{
    append_held_escaped(h, to);
}

void harmless_append(struct text *to, const char *s)
{
    struct harmless h = {0};

    if (!s)
        return;
    harmless_feed(&h, s, strlen(s), to);
    harmless_end(&h, to);
}

void harmless_print(FILE *to, const char *s)
{
    struct text shown = {0};

    harmless_append(&shown, s);
    if (shown.data)
        fwrite(shown.data, 1, shown.len, to);
    text_deinit(&shown);
}
