/* reading - the one file that a reader stands in, plain or packed.
 * Threads: one at a time. Ownership: the reader owns the file. */
#pragma once

#include "reader.h"

#include <zlib.h>

struct file_reader {
    struct log_reader reader;
    char service[SERVICE_NAME_MAX + 1];
    enum stream stream;
    char base[LOG_BASE_SIZE];
    struct log_files files; /* its dir_fd is ours */
    int fd;                 /* the file that is being read */
    gzFile unpacked;        /* through it when it is packed; NULL: it is not */
    off_t place;            /* in it, or in what it holds */
};

/* Takes fd and stands at its beginning, in the place of the file before. 0 or -errno. */
int reading_switch(struct file_reader *r, int fd, bool packed);
void reading_leave(struct file_reader *r);
int reading_rewind(struct file_reader *r);
/* From the place on. One that is cut short or spoiled ends there. */
ssize_t reading_read(struct file_reader *r, char *buffer, size_t size);
/* Of a plain file. 0 or -errno. */
int reading_size(int fd, off_t *ret_size);
