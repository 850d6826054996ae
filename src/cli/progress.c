#include "progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int progress_init(struct progress *p, const struct screen *screen, size_t count, bool silent)
{
    *p = (struct progress){.screen = screen, .count = count, .silent = silent};
    /* What has scrolled off the top cannot be reached any more. */
    p->in_place = screen->rewrites && count < screen->rows;
    p->lines = calloc(count + 1, sizeof *p->lines);
    return p->lines ? 0 : -ENOMEM;
}

/* A line that wrapped would take two places: it is cut at the edge. */
static void draw(const struct progress *p, size_t index)
{
    const char *line = p->lines[index] ? p->lines[index] : "";

    printf("\r\033[K%.*s\n", (int)p->screen->columns - 1, line);
}

static void draw_in_place(struct progress *p, size_t index)
{
    size_t up = p->drawn > index ? p->drawn - index : 0;

    if (up > 0)
        printf("\033[%zuA", up);
    for (; p->drawn < index; p->drawn++)
        draw(p, p->drawn);
    draw(p, index);
    if (up > 1)
        printf("\033[%zuB", up - 1);
    if (up == 0)
        p->drawn++;
}

void progress_say(struct progress *p, size_t index, const char *line)
{
    char *copy;

    if (p->lines[index] && strcmp(p->lines[index], line) == 0)
        return;
    copy = strdup(line);
    if (!copy)
        return; /* only a line less */
    free(p->lines[index]);
    p->lines[index] = copy;
    if (p->silent)
        return;
    if (p->in_place)
        draw_in_place(p, index);
    else
        puts(line);
    fflush(stdout);
}

void progress_deinit(struct progress *p)
{
    for (size_t i = 0; p->lines && i < p->count; i++)
        free(p->lines[i]);
    free(p->lines);
    *p = (struct progress){0};
}
