#include "stamp.h"

#include "base/clock.h"

#include <string.h>

void stamp_now(char stamp[static STAMP_SIZE + 1])
{
    char text[CLOCK_TEXT_SIZE];

    clock_format_utc(clock_utc_us(), text);
    memcpy(stamp, text, STAMP_SIZE - 1);
    stamp[STAMP_SIZE - 1] = ' ';
    stamp[STAMP_SIZE] = '\0';
}

/* The bytes up to the end of the line, or all. */
static size_t line_size(const char *data, size_t size)
{
    const char *end = memchr(data, '\n', size);

    return end ? (size_t)(end - data) + 1 : size;
}

size_t stamp_lines(const char *data, size_t size, bool at_start, const char *stamp, char *out,
                   size_t room)
{
    size_t len = 0;

    while (size > 0) {
        size_t prefix = at_start ? STAMP_SIZE : 0, part = line_size(data, size);

        if (room - len <= prefix)
            break;
        if (part > room - len - prefix)
            part = room - len - prefix;
        memcpy(out + len, stamp, prefix);
        memcpy(out + len + prefix, data, part);
        len += prefix + part;
        at_start = data[part - 1] == '\n';
        data += part;
        size -= part;
    }
    return len;
}

size_t stamp_source(const char *out, size_t size, bool at_start, size_t *ret_clean)
{
    size_t at = 0, source = 0;

    while (at < size) {
        size_t part;

        if (at_start && size - at <= STAMP_SIZE)
            break;
        if (at_start)
            at += STAMP_SIZE;
        part = line_size(out + at, size - at);
        at_start = out[at + part - 1] == '\n';
        at += part;
        source += part;
    }
    *ret_clean = at;
    return source;
}
