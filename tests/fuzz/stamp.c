/* Lines with times before them: whatever part of what was stamped is kept, it stands for the same
 * part of the source. And the cutting up into lines for the record of an operation. The first byte
 * is the room, the second how much is kept. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "lines.h"
#include "stamp.h"

#include <stdlib.h>
#include <string.h>

/* Takes the times out again. */
static size_t unstamp(const char *out, size_t size, bool at_start, char *to)
{
    size_t len = 0;

    for (size_t at = 0; at < size; at++) {
        if (at_start)
            at += STAMP_SIZE;
        if (at >= size)
            break;
        at_start = out[at] == '\n';
        to[len++] = out[at];
    }
    return len;
}

static void check_kept(const char *source, const char *out, size_t kept, bool at_start)
{
    size_t clean = SIZE_MAX, bytes = stamp_source(out, kept, at_start, &clean);
    CLEANUP(freep) char *plain = malloc(kept + 1);

    CHECK(clean <= kept, "%zu of %zu are clean", clean, kept);
    CHECK(unstamp(out, clean, at_start, plain) == bytes, "%zu bytes of the source", bytes);
    CHECK(memcmp(plain, source, bytes) == 0, "they are others");
}

static void check_stamped(const char *source, size_t size, bool at_start, size_t room, size_t share)
{
    CLEANUP(freep) char *out = malloc(room + 1);
    char stamp[STAMP_SIZE + 1];
    size_t len, clean;

    stamp_now(stamp);
    CHECK(strlen(stamp) == STAMP_SIZE, "\"%s\"", stamp);
    len = stamp_lines(source, size, at_start, stamp, out, room);
    CHECK(len <= room, "%zu bytes in %zu", len, room);
    check_kept(source, out, len, at_start);
    check_kept(source, out, len * share / 256, at_start);
    if (room >= (STAMP_SIZE + 1) * (size + 1)) {
        CHECK(stamp_source(out, len, at_start, &clean) == size, "not all of it");
        CHECK(clean == len, "%zu of %zu are clean", clean, len);
    }
}

static void check_lines(const char *data, size_t size, size_t split, size_t keep)
{
    struct lines whole = {0}, parts = {0};

    lines_add(&whole, data, size);
    lines_end(&whole);
    split = size > 0 ? split % (size + 1) : 0;
    lines_add(&parts, data, split);
    lines_add(&parts, data + split, size - split);
    lines_end(&parts);
    CHECK(whole.list.count == parts.list.count, "%zu lines, or %zu", whole.list.count,
          parts.list.count);
    lines_keep_last(&parts, keep);
    CHECK(parts.list.count <= keep || keep >= whole.list.count, "%zu are kept", parts.list.count);
    for (size_t i = 0; i < parts.list.count; i++) {
        const char *line = whole.list.items[whole.list.count - parts.list.count + i];

        CHECK(strcmp(line, parts.list.items[i]) == 0, "line %zu is another", i);
        CHECK(strlen(line) <= LINE_LIMIT, "line %zu is too long", i);
    }
    string_list_clear(&whole.list);
    string_list_clear(&parts.list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = input_of(data, size);
    size_t room = input_byte(&input) * 64, share = input_byte(&input);
    CLEANUP(freep) char *source = input_rest(&input, &size);

    check_stamped(source, size, share & 1, room, share);
    check_lines(source, size, room, share);
    return 0;
}
