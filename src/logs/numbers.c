/* Names, and looking at them. The plain one is asked for first: a file that is packed meanwhile is
 * found under its new name then, because that is made before the old one goes. */
#include "numbers.h"

#include "base/fault.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

const char *number_name(const struct log_files *files, int64_t number, enum form form,
                        char name[static LOG_NAME_SIZE])
{
    if (number == 0)
        snprintf(name, LOG_NAME_SIZE, "%s.log", files->base);
    else
        snprintf(name, LOG_NAME_SIZE, "%s.log.%lld%s", files->base, (long long)number,
                 form == FORM_PACKED ? ".gz" : "");
    return name;
}

int number_look(const struct log_files *files, int64_t number, enum form form, struct stat *ret_st)
{
    char name[LOG_NAME_SIZE];

    if (number == 0 && form == FORM_PACKED)
        return -ENOENT;
    if (fstatat(files->dir_fd, number_name(files, number, form, name), ret_st,
                AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    return 0;
}

bool number_is_free(const struct log_files *files, int64_t number)
{
    struct stat st;

    return number_look(files, number, FORM_PLAIN, &st) < 0 &&
           number_look(files, number, FORM_PACKED, &st) < 0;
}

int64_t number_oldest(const struct log_files *files)
{
    int64_t oldest = 0;

    for (int64_t number = 1; number <= oldest + 1 + HOLE; number++)
        if (!number_is_free(files, number))
            oldest = number;
    return oldest;
}

int number_open_form(const struct log_files *files, int64_t number, enum form form)
{
    char name[LOG_NAME_SIZE];
    int fd;

    if (number == 0 && form == FORM_PACKED)
        return -ENOENT;
    fd = FAULTS(log_read) ? -1
                          : openat(files->dir_fd, number_name(files, number, form, name),
                                   O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ELOOP) /* a link that somebody else has put there is none of ours */
        return -ENOENT;
    return fd < 0 ? -errno : fd;
}

int number_open(const struct log_files *files, int64_t number, bool *ret_packed)
{
    int fd = number_open_form(files, number, FORM_PLAIN);

    *ret_packed = fd == -ENOENT;
    return fd == -ENOENT ? number_open_form(files, number, FORM_PACKED) : fd;
}

bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}
