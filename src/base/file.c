#include "base/file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int file_read(const char *path, size_t limit, char **ret_data, size_t *ret_len, struct error *err)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    CLEANUP(freep) char *data = NULL;
    size_t len = 0, capacity = 4096;
    struct stat st;
    ssize_t n;

    if (fd < 0)
        return error_set(err, -errno, "open %s: %m", path);
    if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode) || S_ISFIFO(st.st_mode))
        return error_set(err, -EINVAL, "%s is not a regular file", path);
    for (;;) {
        char *grown = realloc(data, capacity + 1);

        if (!grown)
            return error_set(err, -ENOMEM, "read %s: %m", path);
        data = grown;
        n = read(fd, data + len, capacity - len);
        if (n < 0)
            return error_set(err, -errno, "read %s: %m", path);
        if (n == 0)
            break;
        len += (size_t)n;
        if (len > limit)
            return error_set(err, -EFBIG, "%s is larger than %zu bytes", path, limit);
        if (len == capacity)
            capacity *= 2;
    }
    data[len] = '\0';
    *ret_len = len;
    *ret_data = take(data);
    return 0;
}

int file_make_folder(const char *path, mode_t mode, struct error *err)
{
    CLEANUP(freep) char *copy = NULL;
    struct stat there;

    if (stat(path, &there) == 0 && S_ISDIR(there.st_mode))
        return 0; /* as nearly always */
    copy = strdup(path);
    if (!copy)
        return error_set(err, -ENOMEM, "make %s: %m", path);
    for (char *slash = copy + 1;; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char kept = *slash;
        struct stat st;

        *slash = '\0';
        if (mkdir(copy, mode) < 0 && errno != EEXIST)
            return error_set(err, -errno, "make folder %s: %m", copy);
        if (kept == '\0') {
            if (stat(path, &st) < 0)
                return error_set(err, -errno, "look at %s: %m", path);
            return S_ISDIR(st.st_mode) ? 0 : error_set(err, -ENOTDIR, "%s is not a folder", path);
        }
        *slash = kept;
    }
}

char *file_join(const char *folder, const char *name)
{
    char *joined;

    if (name[0] == '/')
        return strdup(name);
    return asprintf(&joined, "%s/%s", folder, name) < 0 ? NULL : joined;
}
