/* outbox - lines of one stream on their way to the console, each with the service's name before it.
 * Threads: the logs' thread only. Ownership: outbox_deinit() frees. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTBOX_SIZE     65536
#define OUTBOX_LINE_MAX 8192 /* a longer line is shown as several */

struct outbox {
    char *data;                /* OUTBOX_SIZE bytes; NULL: nothing was added yet */
    uint32_t sent, whole, len; /* of data: gone already, ends with a line, all */
    uint32_t line;             /* of the line that has no end yet: its own bytes */
    uint32_t turn;             /* bytes that go before another stream's */
    bool open;                 /* there is a line that has no end yet */
};

struct outbox_prefix {
    const char *text;
    size_t size;
};

void outbox_deinit(struct outbox *box);
/* Takes what there is room for: how many bytes of data. */
size_t outbox_add(struct outbox *box, const struct outbox_prefix *prefix, const char *data,
                  size_t size);
/* How many it would take. */
size_t outbox_fits(const struct outbox *box, const struct outbox_prefix *prefix, const char *data,
                   size_t size);
/* A line of our own, whole or not at all; it ends one that is open. */
bool outbox_add_line(struct outbox *box, const struct outbox_prefix *prefix, const char *line);
void outbox_end_line(struct outbox *box); /* as nothing more will come */

size_t outbox_waiting(const struct outbox *box); /* bytes of whole lines */
bool outbox_roomy(const struct outbox *box);     /* half of it is free */
/* The next bytes to go, at most max: as many lines as fit, or a part of one that never would. */
size_t outbox_next(struct outbox *box, size_t max, const char **ret_data);
void outbox_gone(struct outbox *box, size_t size);
