/* Which kind of reader it is is told when it is opened, and not asked again. */
#include "reader.h"

#include <errno.h>

int log_reader_open(struct logs *logs, const char *service, enum stream stream, size_t lines,
                    struct log_reader **ret_reader, struct error *err)
{
    int result = file_reader_open(logs, service, stream, lines, INT64_MAX, ret_reader);

    if (result == -ENOENT)
        return error_set(err, result, "%s has no log yet", service);
    return result < 0 ? error_set(err, result, "read the log of %s: %m", service) : 0;
}

int log_reader_open_unit(struct logs *logs, const struct service_spec *spec, size_t lines,
                         bool follow, struct log_reader **ret_reader, struct error *err)
{
    const struct journal_place place = {.lines = lines, .since_mono = INT64_MIN, .follow = follow};

    return journal_reader_open(logs, spec->unit, spec->bus, &place, ret_reader, err);
}

ssize_t log_reader_read(struct log_reader *reader, char *buffer, size_t size)
{
    return reader->ops->read(reader, buffer, size);
}

void log_reader_wait(struct log_reader *reader, int64_t until_mono, log_wait_done *done,
                     void *context)
{
    reader->ops->wait(reader, until_mono, done, context);
}

void log_reader_close(struct log_reader *reader)
{
    if (reader)
        reader->ops->close(reader);
}
