/* A plain file is read backwards in blocks; a packed one is read twice from its beginning, to count
 * and to go there. */
#include "search.h"

#include <errno.h>
#include <unistd.h>

#define BLOCK 16384

struct search {
    size_t lines; /* line ends still to be passed */
    int64_t back; /* bytes that may still be looked at */
    bool at_end;  /* nothing was looked at yet: the end of the last line is not counted */
};

/* Goes back in this file, which is plain. 1: found, 0: its beginning was reached, or -errno. */
static int search_plain(struct file_reader *r, struct search *s)
{
    char block[BLOCK];

    while (r->place > 0) {
        size_t size = r->place < BLOCK ? (size_t)r->place : BLOCK;
        ssize_t n;

        if (s->back == 0)
            return 1;
        if ((int64_t)size > s->back)
            size = (size_t)s->back;
        n = pread(r->fd, block, size, r->place - (off_t)size);
        if (n < 0)
            return -errno;
        if ((size_t)n < size) /* it was cut by others */
            return 1;
        for (size_t i = size; i > 0; i--) {
            bool ends = block[i - 1] == '\n' && !s->at_end;

            s->at_end = false;
            if (ends && --s->lines == 0) {
                r->place -= (off_t)(size - i);
                return 1;
            }
        }
        r->place -= (off_t)size;
        s->back -= (int64_t)size;
    }
    return 0;
}

/* How many lines end in this file, which is packed, and how large it is. */
static int measure(struct file_reader *r, struct search *s, size_t *ret_lines)
{
    char block[BLOCK], last = '\0';
    size_t lines = 0;
    ssize_t n;

    while ((n = reading_read(r, block, sizeof block)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            lines += block[i] == '\n';
        last = block[n - 1];
    }
    if (n == 0 && s->at_end && r->place > 0) {
        lines -= last == '\n';
        s->at_end = false;
    }
    *ret_lines = lines;
    return (int)n;
}

/* Reads on until so many lines have ended, and to place at least. */
static int skip(struct file_reader *r, size_t lines, off_t place)
{
    off_t at = r->place;
    char block[BLOCK];
    ssize_t n;

    while (lines > 0 || at < place) {
        n = reading_read(r, block, sizeof block);
        if (n <= 0)
            return (int)n;
        for (ssize_t i = 0; i < n && (lines > 0 || at < place); i++, at++)
            if (lines > 0 && block[i] == '\n')
                lines--;
    }
    if (gzseek(r->unpacked, at, SEEK_SET) < 0)
        return -EIO;
    r->place = at;
    return 0;
}

/* As search_plain(). */
static int search_packed(struct file_reader *r, struct search *s)
{
    size_t lines = 0;
    off_t size, far;
    int result = reading_rewind(r);

    if (result == 0)
        result = measure(r, s, &lines);
    if (result < 0)
        return result;
    size = r->place;
    far = size > s->back ? size - (off_t)s->back : 0;
    result = reading_rewind(r);
    if (result < 0)
        return result;
    if (lines < s->lines && far == 0) {
        s->lines -= lines;
        s->back -= size;
        return 0;
    }
    result = skip(r, lines < s->lines ? 0 : lines - s->lines + 1, far);
    return result < 0 ? result : 1;
}

/* 1: found, 0: goes on in the next older file, -errno. The place is the file's end before that. */
static int search_file(struct file_reader *r, struct search *s)
{
    int result;

    if (s->lines == SIZE_MAX)
        return reading_rewind(r);
    if (r->unpacked)
        return search_packed(r, s);
    result = reading_size(r->fd, &r->place);
    return result < 0 ? result : search_plain(r, s);
}

int search_back(struct file_reader *r, size_t lines, int64_t back)
{
    struct search s = {.lines = lines, .back = back, .at_end = true};

    for (;;) {
        int found = search_file(r, &s), older, result;
        bool packed;

        if (found != 0)
            return found < 0 ? found : 0;
        older = files_open_neighbour(&r->files, r->fd, FILES_OLDER, &packed);
        if (older < 0)
            return older == -ENOENT || older == -ESTALE ? 0 : older;
        result = reading_switch(r, older, packed);
        if (result < 0)
            return result;
    }
}

int search_end(struct file_reader *r)
{
    return r->unpacked ? skip(r, 0, INT64_MAX) : reading_size(r->fd, &r->place);
}
