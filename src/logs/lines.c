#include "lines.h"

#include <stdlib.h>
#include <string.h>

static void end_line(struct lines *l)
{
    l->line[l->len] = '\0';
    string_list_add(&l->list, l->line); /* without memory the line is missing */
    l->len = 0;
    l->begun = false;
}

void lines_add(struct lines *l, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n') {
            end_line(l);
            continue;
        }
        l->begun = true;
        if (l->len < LINE_LIMIT)
            l->line[l->len++] = data[i] != '\0' ? data[i] : '?';
    }
}

void lines_end(struct lines *l)
{
    if (l->begun)
        end_line(l);
}

void lines_keep_last(struct lines *l, size_t count)
{
    struct string_list *list = &l->list;
    size_t excess = list->count > count ? list->count - count : 0;

    if (excess == 0)
        return;
    for (size_t i = 0; i < excess; i++)
        free(list->items[i]);
    memmove(list->items, list->items + excess, (count + 1) * sizeof *list->items);
    list->count = count;
}
