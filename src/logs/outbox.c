#include "outbox.h"

#include <stdlib.h>
#include <string.h>

#define SPARE 1 /* always free, for the end of the line that is open */

void outbox_deinit(struct outbox *box)
{
    free(box->data);
    *box = (struct outbox){0};
}

static void put(struct outbox *box, bool copy, const char *data, size_t size)
{
    if (copy)
        memcpy(box->data + box->len, data, size);
    box->len += (uint32_t)size;
}

static void end_line(struct outbox *box, bool copy)
{
    put(box, copy, "\n", 1);
    box->whole = box->len;
    box->line = 0;
    box->open = false;
}

/* One line or a part of it: how much of data was taken, 0: there is no room. */
static size_t add_part(struct outbox *box, bool copy, const struct outbox_prefix *prefix,
                       const char *data, size_t size)
{
    size_t head = box->open ? 0 : prefix->size, room = OUTBOX_SIZE - box->len;
    const char *end = memchr(data, '\n', size);
    size_t part = end ? (size_t)(end - data) : size;

    if (room <= head + SPARE)
        return 0;
    room -= SPARE;
    if (part > OUTBOX_LINE_MAX - box->line)
        part = OUTBOX_LINE_MAX - box->line;
    if (part > room - head)
        part = room - head;
    put(box, copy, prefix->text, head);
    put(box, copy, data, part);
    box->line += (uint32_t)part;
    box->open = true;
    if (part < size && data[part] == '\n') {
        end_line(box, copy); /* it has its place */
        return part + 1;
    }
    if (box->line == OUTBOX_LINE_MAX)
        end_line(box, copy);
    return part;
}

static size_t add(struct outbox *box, bool copy, const struct outbox_prefix *prefix,
                  const char *data, size_t size)
{
    size_t taken = 0, part = 0;

    for (; taken < size; taken += part) {
        part = add_part(box, copy, prefix, data + taken, size - taken);
        if (part == 0)
            break;
    }
    return taken;
}

static void compact(struct outbox *box)
{
    if (box->sent == 0)
        return;
    memmove(box->data, box->data + box->sent, box->len - box->sent);
    box->len -= box->sent;
    box->whole -= box->sent;
    box->sent = 0;
}

static bool prepare(struct outbox *box)
{
    if (!box->data)
        box->data = malloc(OUTBOX_SIZE);
    if (box->data)
        compact(box);
    return box->data != NULL;
}

size_t outbox_add(struct outbox *box, const struct outbox_prefix *prefix, const char *data,
                  size_t size)
{
    return prepare(box) ? add(box, true, prefix, data, size) : 0;
}

size_t outbox_fits(const struct outbox *box, const struct outbox_prefix *prefix, const char *data,
                   size_t size)
{
    struct outbox trial = *box;

    trial.len -= trial.sent;
    return add(&trial, false, prefix, data, size);
}

bool outbox_add_line(struct outbox *box, const struct outbox_prefix *prefix, const char *line)
{
    size_t size = strlen(line);

    if (!prepare(box) || box->len + 1 + prefix->size + size + 1 + SPARE > OUTBOX_SIZE)
        return false;
    outbox_end_line(box);
    put(box, true, prefix->text, prefix->size);
    put(box, true, line, size);
    end_line(box, true);
    return true;
}

void outbox_end_line(struct outbox *box)
{
    if (box->open)
        end_line(box, true);
}

size_t outbox_waiting(const struct outbox *box)
{
    return box->whole - box->sent;
}

bool outbox_roomy(const struct outbox *box)
{
    return box->len - box->sent <= OUTBOX_SIZE / 2;
}

size_t outbox_next(struct outbox *box, size_t max, const char **ret_data)
{
    const char *data = box->data + box->sent, *end;
    size_t size;

    if (box->turn == 0)
        box->turn = (uint32_t)outbox_waiting(box);
    *ret_data = data;
    size = box->turn < max ? box->turn : max;
    end = size < box->turn ? memrchr(data, '\n', size) : NULL;
    return end ? (size_t)(end - data) + 1 : size;
}

void outbox_gone(struct outbox *box, size_t size)
{
    box->sent += (uint32_t)size;
    box->turn -= (uint32_t)size;
    if (box->sent == box->len)
        box->sent = box->whole = box->len = 0;
}
