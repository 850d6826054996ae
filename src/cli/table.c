#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2

static char *make_text(const char *format, va_list arguments)
{
    struct text shown = {0};
    char *raw;

    if (vasprintf(&raw, format, arguments) < 0)
        return NULL;
    harmless_append(&shown, raw);
    free(raw);
    return text_take(&shown);
}

void table_add(struct table *t, enum colour colour, const char *format, ...)
{
    struct cell *grown = realloc(t->cells, (t->count + 1) * sizeof *grown);
    va_list arguments;
    char *text;

    if (!grown) {
        t->failed = true;
        return;
    }
    t->cells = grown;
    va_start(arguments, format);
    text = make_text(format, arguments);
    va_end(arguments);
    if (!text)
        t->failed = true;
    else
        t->cells[t->count++] = (struct cell){text, colour};
}

/* Characters, not bytes. */
static size_t width_of(const char *s)
{
    size_t width = 0;

    for (; *s; s++)
        width += (*s & 0xc0) != 0x80;
    return width;
}

/* 0: every cell is empty. */
static size_t column_width(const struct table *t, size_t column)
{
    size_t widest = 0, head = strlen(t->headers[column]);

    for (size_t i = column; i < t->count; i += t->columns) {
        size_t width = width_of(t->cells[i].text);

        widest = width > widest ? width : widest;
    }
    return widest > 0 && widest < head ? head : widest;
}

/* The blanks before a cell are owed until there is one: no line ends in blanks. */
static void print_cell(const struct screen *screen, const struct cell *cell, size_t width,
                       size_t *owed)
{
    if (*cell->text)
        printf("%*s%s%s%s", (int)*owed, "", colour_begin(screen, cell->colour), cell->text,
               colour_end(screen, cell->colour));
    *owed = (*cell->text ? 0 : *owed) + width - width_of(cell->text) + GAP;
}

static void print_row(const struct table *t, const struct screen *screen, const struct cell *row,
                      const size_t *widths)
{
    size_t owed = 0;

    for (size_t i = 0; i < t->columns; i++)
        if (widths[i] > 0)
            print_cell(screen, &row[i], widths[i], &owed);
    putchar('\n');
}

void table_print(const struct table *t, const struct screen *screen)
{
    size_t *widths = calloc(t->columns, sizeof *widths);
    struct cell *head = calloc(t->columns, sizeof *head);

    if (t->failed || !widths || !head) {
        fputs("orderlyctl: not enough memory to show the table\n", stderr);
        goto out;
    }
    for (size_t i = 0; i < t->columns; i++) {
        widths[i] = column_width(t, i);
        head[i] = (struct cell){(char *)t->headers[i], COLOUR_FAINT};
    }
    print_row(t, screen, head, widths);
    for (size_t i = 0; i + t->columns <= t->count; i += t->columns)
        print_row(t, screen, &t->cells[i], widths);
out:
    free(widths);
    free(head);
}

void table_deinit(struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->cells[i].text);
    free(t->cells);
    *t = (struct table){0};
}
