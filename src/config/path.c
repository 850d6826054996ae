#include "path.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <limits.h>
#include <string.h>

/* ".." is left alone: what stands before it may be a link. */
char *path_absolute(const char *folder, const char *text)
{
    CLEANUP(freep) char *joined = file_join(folder, text);
    struct text t = {0};
    size_t len;

    if (!joined)
        return NULL;
    for (const char *part = joined; *part; part += len) {
        part += strspn(part, "/");
        len = strcspn(part, "/");
        if (len == 0 || (len == 1 && part[0] == '.'))
            continue;
        text_append(&t, "/");
        text_append_n(&t, part, len);
    }
    if (t.len == 0)
        text_append(&t, "/");
    return text_take(&t);
}

char *path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash > path ? strndup(path, (size_t)(slash - path)) : strdup("/");
}

const char *path_fault(const char *path, size_t most)
{
    size_t len;

    if (strlen(path) > most)
        return "it is too long";
    for (const char *part = path; *part; part += len) {
        part += strspn(part, "/");
        len = strcspn(part, "/");
        if (len > NAME_MAX)
            return "a part of it is longer than 255 bytes";
    }
    return NULL;
}
