/* reader - what reads a log on from some place: a service's files, whoever rotates them, or a
 * unit's entries in the journal.
 * Threads: one at a time; it shares nothing with the logs' thread but what it waits for.
 * Ownership: log_reader_close() frees it. */
#pragma once

#include "state.h"

struct log_reader;

/* Each as the call log_reader_x() of logs.h. */
struct reader_ops {
    ssize_t (*read)(struct log_reader *reader, char *buffer, size_t size);
    void (*wait)(struct log_reader *reader, int64_t until_mono, log_wait_done *done, void *context);
    void (*close)(struct log_reader *reader);
};

/* What every kind begins with. */
struct log_reader {
    const struct reader_ops *ops;
    struct logs *logs;
};

/* As log_reader_open(), going back over back bytes at most. */
int file_reader_open(struct logs *logs, const char *service, enum stream stream, size_t lines,
                     int64_t back, struct log_reader **ret_reader);

struct journal_place {
    size_t lines;       /* as log_reader_open() */
    int64_t since_mono; /* not before this time of this boot; INT64_MIN: from any boot */
    bool follow;        /* else it can't be waited for */
};
/* -ENOENT: there is no journal here that can be read. */
int journal_reader_open(struct logs *logs, const char *unit, enum bus_type bus,
                        const struct journal_place *place, struct log_reader **ret_reader,
                        struct error *err);
