#include "rotate.h"

#include "age.h"
#include "base/clock.h"
#include "compress.h"
#include "trouble.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int64_t rotate_limit(const struct channel *ch, const struct settings *s)
{
    int64_t limit = ch->rotate_due ? 1 : s->max_size;

    return limit > 0 && clock_mono_us() < ch->rotate_after ? 0 : limit;
}

bool rotate_at_line(const struct channel *ch, int64_t size)
{
    char last;

    return size == 0 || (pread(ch->file_fd, &last, 1, size - 1) == 1 && last == '\n');
}

struct portion rotate_cut(const struct channel *ch, int64_t limit, int64_t size, const char *data,
                          size_t count)
{
    size_t room = size < limit ? (size_t)(limit - size) : 0;
    const char *end;

    if (limit == 0 || count <= room)
        return (struct portion){.bytes = count};
    end = room > 0 ? memrchr(data, '\n', room) : NULL;
    if (!end && size > 0 && rotate_at_line(ch, size)) /* an empty file is never full */
        return (struct portion){.rotate = true};
    if (!end)
        end = memchr(data + room, '\n', count - room);
    if (!end)
        return (struct portion){.bytes = count}; /* the line goes on: so does the file */
    return (struct portion){.bytes = (size_t)(end - data) + 1, .rotate = true};
}

int rotate_now(struct channel *ch, const struct settings *s)
{
    int result = files_rotate(&ch->files, s->max_files, &ch->file_fd);

    if (result < 0) {
        ch->rotate_after = clock_mono_us() + USEC_PER_SEC;
    } else {
        ch->rotate_after = 0;
        ch->rotate_due = false;
        ch->copies = false; /* another file may lie elsewhere */
        age_set(ch, CLOCK_NEVER);
        if (s->compress && s->max_files > 0)
            compress_want(ch);
    }
    ch->rotate_error = result;
    trouble_update(ch->log);
    return result;
}

int rotate_when_possible(struct channel *ch, const struct settings *s)
{
    struct stat st;

    if (ch->file_fd < 0)
        return -ENODATA;
    if (fstat(ch->file_fd, &st) < 0)
        return -errno;
    if (st.st_size == 0 && files_is_current(&ch->files, ch->file_fd) == 1)
        return -ENODATA;
    if (rotate_at_line(ch, st.st_size))
        return rotate_now(ch, s);
    ch->rotate_due = true;
    return -EBUSY;
}
