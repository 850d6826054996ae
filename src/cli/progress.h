/* progress - a line for each of several things under way: rewritten in place on a terminal, else
 * printed anew whenever it says something new.
 * Threads: one. Ownership: progress_deinit(). */
#pragma once

#include "screen.h"

#include <stdbool.h>
#include <stddef.h>

struct progress {
    const struct screen *screen;
    bool silent, in_place;
    char **lines; /* what each says now; NULL: nothing yet */
    size_t count;
    size_t drawn; /* lines that stand on the terminal */
};

/* 0 or -ENOMEM. silent: nothing is ever printed. */
int progress_init(struct progress *progress, const struct screen *screen, size_t count,
                  bool silent);
void progress_say(struct progress *progress, size_t index, const char *line);
void progress_deinit(struct progress *progress);
