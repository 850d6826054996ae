#include "secret.h"

#include "base/cleanup.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define TOO_LOOSE 037 /* what must not be set beside 0640 */

static int check_private(const struct stat *st, struct error *err)
{
    if (!S_ISREG(st->st_mode))
        return error_set(err, -EINVAL, "it is not a regular file");
    if (st->st_mode & TOO_LOOSE)
        return error_set(err, -EACCES,
                         "it holds secrets, but its mode %04o lets others in; chmod 600 it",
                         (unsigned)st->st_mode & 07777);
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return error_set(err, -EACCES,
                         "it holds secrets, but it belongs to uid %u, who may change it; chown it "
                         "to uid %u",
                         st->st_uid, geteuid());
    return 0;
}

static int read_all(int fd, char *data, size_t size, size_t *ret_len, struct error *err)
{
    size_t len = 0;
    ssize_t n;

    while (len < size && (n = read(fd, data + len, size - len)) != 0) {
        if (n < 0)
            return error_set(err, -errno, "read it: %m");
        len += (size_t)n;
    }
    *ret_len = len;
    return 0;
}

int secret_read(const char *path, size_t limit, char **ret_data, size_t *ret_len, struct error *err)
{
    CLEANUP(closep)
    int fd = FAULTS(token_read) ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    size_t size, len = 0;
    char *data;
    int result;

    if (fd < 0 || fstat(fd, &st) < 0)
        return error_set(err, -errno, "open it: %m");
    result = check_private(&st, err);
    if (result < 0)
        return result;
    if ((size_t)st.st_size > limit)
        return error_set(err, -EFBIG, "it may have at most %zu bytes", limit);
    size = (size_t)st.st_size;
    data = malloc(size + 1);
    if (!data)
        return error_set(err, -ENOMEM, "%m");
    result = read_all(fd, data, size, &len, err);
    if (result < 0) {
        secret_free(data, size);
        return result;
    }
    data[len] = '\0';
    *ret_data = data;
    *ret_len = len;
    return 0;
}

void secret_free(char *data, size_t len)
{
    if (data)
        explicit_bzero(data, len);
    free(data);
}
