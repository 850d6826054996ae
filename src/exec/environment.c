/* environment - the service's environment file: KEY=VALUE lines, blank ones and comments (# or ;);
 * a value may stand in one pair of quotes. It wins over what is inherited, and the service's own
 * settings win over it. */
#include "executor.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_LIMIT (256u << 10)

struct environment {
    char **items; /* as many as it may ever hold, and a NULL */
    size_t count;
};

/* A later string takes the place of an earlier one with its key. */
static void put(struct environment *e, char *string)
{
    size_t key = (size_t)(strchr(string, '=') - string) + 1;

    for (size_t i = 0; i < e->count; i++)
        if (strncmp(e->items[i], string, key) == 0) {
            e->items[i] = string;
            return;
        }
    e->items[e->count++] = string;
}

/* -1: errno says why. */
static ssize_t read_all(const char *path, char *data)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t len = 0;
    ssize_t n;

    if (fd < 0)
        return -1;
    while ((n = read(fd, data + len, FILE_LIMIT - len)) > 0)
        len += (size_t)n;
    close(fd);
    if (n == 0 && len == FILE_LIMIT) {
        errno = EFBIG;
        return -1;
    }
    return n < 0 ? -1 : (ssize_t)len;
}

static size_t key_length(const char *line)
{
    size_t len = 0;

    if (isdigit((unsigned char)line[0]))
        return 0;
    while (isalnum((unsigned char)line[len]) || line[len] == '_')
        len++;
    return len;
}

static void unquote(char *value)
{
    size_t len = strlen(value);

    if (len < 2 || (value[0] != '"' && value[0] != '\'') || value[len - 1] != value[0])
        return;
    memmove(value, value + 1, len - 2);
    value[len - 2] = '\0';
}

static char *trim(char *line)
{
    size_t len;

    while (isspace((unsigned char)*line))
        line++;
    len = strlen(line);
    while (len > 0 && isspace((unsigned char)line[len - 1]))
        line[--len] = '\0';
    return line;
}

static bool take_line(struct environment *e, char *line)
{
    size_t key;

    line = trim(line);
    if (line[0] == '\0' || line[0] == '#' || line[0] == ';')
        return true;
    key = key_length(line);
    if (key == 0 || line[key] != '=')
        return false;
    unquote(line + key + 1);
    put(e, line);
    return true;
}

/* data is NUL-terminated. The number of the first line that is wrong; 0: none is. */
static int take_lines(struct environment *e, char *data, size_t len)
{
    char *line = data;

    for (int number = 1; line < data + len; number++) {
        char *end = memchr(line, '\n', (size_t)(data + len - line));

        if (!end)
            end = data + len;
        *end = '\0';
        if (strlen(line) != (size_t)(end - line) || !take_line(e, line))
            return number;
        line = end + 1;
    }
    return 0;
}

static size_t count_lines(const char *data, size_t len)
{
    size_t lines = 1;

    for (size_t i = 0; i < len; i++)
        lines += data[i] == '\n';
    return lines;
}

bool environment_merge(struct settings *s, struct failure *f)
{
    size_t inherited = s->header->environment_count - s->header->own_count;
    struct environment e = {0};
    char *data;
    ssize_t len;

    if (s->environment_file[0] == '\0')
        return true;
    *f = (struct failure){.step = STEP_ENVIRONMENT_FILE};
    data = malloc(FILE_LIMIT + 1);
    len = data ? read_all(s->environment_file, data) : -1;
    if (len < 0) {
        f->error = errno;
        return errno == ENOENT && (s->header->flags & EXEC_ENVIRONMENT_FILE_OPTIONAL);
    }
    data[len] = '\0';
    e.items =
        calloc(s->header->environment_count + count_lines(data, (size_t)len) + 1, sizeof *e.items);
    if (!e.items) {
        f->error = errno;
        return false;
    }
    for (size_t i = 0; i < inherited; i++)
        put(&e, s->environment[i]);
    f->line = take_lines(&e, data, (size_t)len);
    if (f->line) {
        f->error = EINVAL;
        return false;
    }
    for (size_t i = inherited; i < s->header->environment_count; i++)
        put(&e, s->environment[i]);
    s->environment = e.items;
    return true;
}
