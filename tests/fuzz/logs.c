/* A service's log files, whoever wrote them, and reading them back: the pieces of the input are the
 * current file and the older ones; "%% gz" makes the next piece a packed file, "%% raw" one that
 * only says so. The first line is how many lines are wanted. Of plain files exactly those lines
 * come, whatever is in them; nothing spoiled may do more than end its own file. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "reader.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define FILES_MOST 6

static struct text all; /* what the files hold together, oldest first */
static bool whole;      /* and all of them are as they should be */

static void prepend(const char *data, size_t size)
{
    struct text t = {0};

    text_append_n(&t, data, size);
    text_append_n(&t, all.data ? all.data : "", all.len);
    text_deinit(&all);
    all = t;
}

static void write_packed(const char *name, const char *data, size_t size)
{
    char path[256];
    gzFile file;

    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    file = gzopen(path, "wb1");
    CHECK(file, "%s", path);
    CHECK(size == 0 || gzwrite(file, data, (unsigned)size) == (int)size, "%s", path);
    gzclose(file);
}

static void write_file(size_t number, const char *kind, const char *data, size_t size)
{
    bool gz = kind && number > 0 && strcmp(kind, "gz") == 0;
    bool raw = kind && number > 0 && strcmp(kind, "raw") == 0;
    char name[64];

    if (number == 0)
        snprintf(name, sizeof name, "logs/web.log");
    else
        snprintf(name, sizeof name, "logs/web.log.%zu%s", number, gz || raw ? ".gz" : "");
    if (gz)
        write_packed(name, data, size);
    else
        fuzz_write(name, data, size);
    whole = whole && !raw;
    prepend(data, size);
}

static void write_files(struct input *input)
{
    CLEANUP(freep) char *kind = NULL;

    for (size_t number = 0; number < FILES_MOST; number++) {
        CLEANUP(freep) char *data = NULL;
        char *next;
        size_t size = 0;

        data = input_piece(input, &size, &next);
        if (!data)
            break;
        write_file(number, kind, data, size);
        free(kind);
        kind = next;
    }
}

static const char *last_lines(const char *data, size_t size, size_t lines)
{
    const char *at = data + size;

    if (lines == 0)
        return at;
    if (at > data && at[-1] == '\n')
        at--;
    for (; at > data; at--)
        if (at[-1] == '\n' && --lines == 0)
            break;
    return at;
}

static void read_all(struct log_reader *reader, struct text *t)
{
    char block[777];
    ssize_t n;

    while ((n = log_reader_read(reader, block, sizeof block)) > 0)
        text_append_n(t, block, (size_t)n);
    CHECK(n == 0 || n == -EIO, "%s", strerror((int)-n));
}

static void check_reading(struct logs *logs, size_t lines)
{
    CLEANUP(text_deinit) struct text got = {0};
    const char *data = all.data ? all.data : "";
    const char *expected = last_lines(data, all.len, lines);
    struct log_reader *reader = NULL;
    struct error err = {0};
    int result = log_reader_open(logs, "web", STREAM_STDOUT, lines, &reader, &err);

    if (result < 0) {
        CHECK(!whole || result == -ENOENT, "%s", err.text);
        return;
    }
    read_all(reader, &got);
    log_reader_close(reader);
    if (!whole)
        return;
    CHECK(got.len == (size_t)(data + all.len - expected), "%zu bytes, not %zu", got.len,
          (size_t)(data + all.len - expected));
    CHECK(memcmp(got.data ? got.data : "", expected, got.len) == 0, "they are others");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = input_of(data, size);
    static struct logs logs = {.dir_fd = -1};
    CLEANUP(freep) char *lines = input_line(&input);
    char path[256];

    snprintf(path, sizeof path, "%s/logs", fuzz_folder());
    fuzz_remove("logs");
    CHECK(mkdir(path, 0700) == 0, "%s", strerror(errno));
    logs.dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    whole = true;
    text_clear(&all);
    write_files(&input);
    check_reading(&logs, strcmp(lines, "all") == 0 ? SIZE_MAX : (size_t)strtoul(lines, NULL, 10));
    closep(&logs.dir_fd);
    return 0;
}
