/* settings - reads what the daemon has written, and believes none of it. */
#include "executor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SIZE_LIMIT   (16u << 20)
#define COUNT_LIMIT  (1u << 18)
#define GROUPS_LIMIT 65536u
#define ALL_FLAGS                                                                                  \
    (EXEC_STAY | EXEC_SET_USER | EXEC_SET_NOFILE | EXEC_SET_CORE | EXEC_SET_OOM |                  \
     EXEC_ENVIRONMENT_FILE_OPTIONAL)

/* The strings that are still to be read. */
struct cursor {
    const char *next, *end;
};

static bool header_valid(const struct exec_settings *h, size_t size)
{
    size_t groups_at;

    if (h->magic != EXEC_SETTINGS_MAGIC || h->version != EXEC_SETTINGS_VERSION)
        return false;
    if ((h->flags & ~(uint32_t)ALL_FLAGS) != 0 || h->umask > 0777)
        return false;
    if (h->argument_count == 0 || h->argument_count > COUNT_LIMIT ||
        h->environment_count > COUNT_LIMIT || h->own_count > h->environment_count)
        return false;
    if (h->group_count > GROUPS_LIMIT || h->oom_score_adjust < -1000 || h->oom_score_adjust > 1000)
        return false;
    if (h->nofile_soft > h->nofile_hard || h->string_bytes > size - sizeof *h)
        return false;
    groups_at = (sizeof *h + (size_t)h->string_bytes + 3) / 4 * 4;
    return size == groups_at + h->group_count * sizeof(gid_t);
}

static const char *next_string(struct cursor *c)
{
    const char *string = c->next;
    const char *end = string < c->end ? memchr(string, '\0', (size_t)(c->end - string)) : NULL;

    if (!end)
        return NULL;
    c->next = end + 1;
    return string;
}

static char **string_array(struct cursor *c, uint32_t count)
{
    char **array = calloc((size_t)count + 1, sizeof *array);

    if (!array)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        array[i] = (char *)next_string(c);
        if (!array[i]) {
            free(array);
            return NULL;
        }
    }
    return array;
}

static bool absolute_or_empty(const char *path)
{
    return path && (path[0] == '\0' || path[0] == '/');
}

static bool paths_valid(const struct settings *s)
{
    return absolute_or_empty(s->directory) && absolute_or_empty(s->output) &&
           absolute_or_empty(s->error_output) && absolute_or_empty(s->ready) &&
           absolute_or_empty(s->environment_file) && absolute_or_empty(s->cgroup);
}

static bool arrays_valid(const struct settings *s)
{
    if (s->arguments[0][0] == '\0')
        return false;
    for (char **e = s->environment; *e; e++)
        if ((*e)[0] == '=' || !strchr(*e, '='))
            return false;
    return true;
}

static bool read_strings(struct settings *s, struct cursor *c)
{
    s->directory = next_string(c);
    s->output = next_string(c);
    s->error_output = next_string(c);
    s->ready = next_string(c);
    s->environment_file = next_string(c);
    s->cgroup = next_string(c);
    if (!paths_valid(s))
        return false;
    s->arguments = string_array(c, s->header->argument_count);
    s->environment = s->arguments ? string_array(c, s->header->environment_count) : NULL;
    return s->environment && c->next == c->end && arrays_valid(s);
}

int settings_parse(const void *data, size_t size, struct settings *ret_settings)
{
    struct settings s = {.header = data};
    struct cursor c;

    if (size < sizeof *s.header || size > SIZE_LIMIT || !header_valid(s.header, size))
        return -EINVAL;
    c.next = (const char *)data + sizeof *s.header;
    c.end = c.next + s.header->string_bytes;
    if (!read_strings(&s, &c)) {
        free(s.arguments);
        free(s.environment);
        return -EINVAL;
    }
    s.groups = (const void *)((const char *)data + size - s.header->group_count * sizeof(gid_t));
    *ret_settings = s;
    return 0;
}

int settings_map(int fd, struct settings *ret_settings)
{
    struct stat st;
    void *data;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size <= 0 || (size_t)st.st_size > SIZE_LIMIT)
        return -EINVAL;
    data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return -errno;
    return settings_parse(data, (size_t)st.st_size, ret_settings);
}
