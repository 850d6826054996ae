#include "fuzz.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#define MARK "%% "

_Noreturn void fuzz_fail(const char *file, int line, const char *condition, const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    fprintf(stderr, "%s:%d: not %s: ", file, line, condition);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    putc('\n', stderr);
    abort();
}

/* ---- input ---- */

struct input input_of(const uint8_t *data, size_t size)
{
    return (struct input){(const char *)data, size};
}

void input_bytes(struct input *input, void *to, size_t size)
{
    size_t n = size < input->left ? size : input->left;

    memset(to, 0, size);
    if (n > 0)
        memcpy(to, input->at, n);
    input->at += n;
    input->left -= n;
}

unsigned input_byte(struct input *input)
{
    unsigned char byte;

    input_bytes(input, &byte, 1);
    return byte;
}

uint64_t input_number(struct input *input)
{
    uint64_t number;

    input_bytes(input, &number, sizeof number);
    return number;
}

/* A copy as large as it is, so that a byte read beyond it is noticed. */
static char *copy_of(const char *data, size_t size)
{
    char *copy = malloc(size + 1);

    CHECK(copy, "no memory");
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

char *input_rest(struct input *input, size_t *ret_size)
{
    char *copy = copy_of(input->at, input->left);

    *ret_size = input->left;
    input->at += input->left;
    input->left = 0;
    return copy;
}

static size_t line_length(const struct input *input)
{
    const char *end = input->left > 0 ? memchr(input->at, '\n', input->left) : NULL;

    return end ? (size_t)(end - input->at) : input->left;
}

char *input_line(struct input *input)
{
    size_t len = line_length(input), taken = len < input->left ? len + 1 : len;
    CLEANUP(freep) char *line = copy_of(input->at, len);

    input->at += taken;
    input->left -= taken;
    return copy_of(line, strlen(line)); /* cut at a NUL */
}

static bool at_mark(const struct input *input)
{
    return input->left >= sizeof MARK - 1 && memcmp(input->at, MARK, sizeof MARK - 1) == 0;
}

char *input_piece(struct input *input, size_t *ret_size, char **ret_next_name)
{
    const char *begin = input->at;

    *ret_next_name = NULL;
    if (input->left == 0)
        return NULL;
    while (input->left > 0 && !at_mark(input)) {
        size_t len = line_length(input);

        len += len < input->left;
        input->at += len;
        input->left -= len;
    }
    *ret_size = (size_t)(input->at - begin);
    if (input->left > 0) {
        input->at += sizeof MARK - 1;
        input->left -= sizeof MARK - 1;
        *ret_next_name = input_line(input);
    }
    return copy_of(begin, *ret_size);
}

/* ---- the folder ---- */

static char folder[96];

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *where)
{
    (void)st, (void)flag, (void)where;
    remove(path);
    return 0;
}

static void remove_folder(void)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_folder(void)
{
    const char *tmp = getenv("TMPDIR");

    if (folder[0] != '\0')
        return folder;
    /* One name where it is free: the fuzzer learns words from what is compared, paths too, and is
     * to go the same way with the same seed. */
    snprintf(folder, sizeof folder, "%.70s/fuzz", tmp && *tmp ? tmp : "/tmp");
    if (mkdir(folder, 0700) < 0) {
        strcat(folder, "-XXXXXX");
        CHECK(mkdtemp(folder), "%s: %s", folder, strerror(errno));
    }
    CHECK(chmod(folder, 0755) == 0, "%s: %s", folder, strerror(errno));
    atexit(remove_folder);
    return folder;
}

void fuzz_write(const char *name, const void *data, size_t size)
{
    char path[512];
    CLEANUP(closep) int fd = -1;

    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0, "%s: %s", path, strerror(errno));
    CHECK(write(fd, data, size) == (ssize_t)size, "%s: %s", path, strerror(errno));
}

void fuzz_remove(const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void fuzz_quiet(void)
{
    struct error err;

    CHECK(log_open(LOG_TARGET_FILE, LOG_LEVEL_ERROR, "/dev/null", &err) == 0, "%s", err.text);
}
