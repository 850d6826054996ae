/* The names of a service's log files, and walking along them while they are being renamed. */
#include "files.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define NAME_SIZE (SERVICE_NAME_MAX + 32)
#define HOLE      1  /* how many numbers in a row may be free */
#define TRIES     32 /* rotations that may come in between */

static const char *file_name(const struct log_files *files, int64_t number,
                             char name[static NAME_SIZE])
{
    if (number == 0)
        snprintf(name, NAME_SIZE, "%s.log", files->service);
    else
        snprintf(name, NAME_SIZE, "%s.log.%lld", files->service, (long long)number);
    return name;
}

static int open_number(const struct log_files *files, int64_t number)
{
    char name[NAME_SIZE];
    int fd =
        openat(files->dir_fd, file_name(files, number, name), O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* 0 or -errno. */
static int look(const struct log_files *files, int64_t number, struct stat *ret_st)
{
    char name[NAME_SIZE];

    return fstatat(files->dir_fd, file_name(files, number, name), ret_st, 0) < 0 ? -errno : 0;
}

static bool is_free(const struct log_files *files, int64_t number)
{
    struct stat st;

    return look(files, number, &st) < 0;
}

/* ---- writing ---- */

int files_open_current(const struct log_files *files)
{
    char name[NAME_SIZE];
    CLEANUP(closep)
    int fd = openat(files->dir_fd, file_name(files, 0, name),
                    O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0640);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? take_fd(&fd) : -EINVAL;
}

/* The number that the files below it move up to: the first free one, else the oldest kept. */
static int64_t room_at(const struct log_files *files, int64_t max_files)
{
    for (int64_t number = 1; number < max_files; number++)
        if (is_free(files, number))
            return number;
    return max_files;
}

/* Files beyond the limit are there when it was lowered. From the top, so that no hole is made. */
static void remove_excess(const struct log_files *files, int64_t max_files)
{
    int64_t top = max_files;
    char name[NAME_SIZE];

    for (int64_t number = max_files + 1; number <= top + 1 + HOLE; number++)
        if (!is_free(files, number))
            top = number;
    for (; top > max_files; top--)
        unlinkat(files->dir_fd, file_name(files, top, name), 0);
}

static int shift(const struct log_files *files, int64_t max_files)
{
    char from[NAME_SIZE], to[NAME_SIZE];

    for (int64_t number = max_files > 0 ? room_at(files, max_files) : 0; number > 0; number--)
        if (renameat(files->dir_fd, file_name(files, number - 1, from), files->dir_fd,
                     file_name(files, number, to)) < 0 &&
            errno != ENOENT)
            return -errno;
    return 0;
}

int files_rotate(const struct log_files *files, int64_t max_files, int *fd)
{
    char name[NAME_SIZE], fresh[NAME_SIZE + 4];
    int result, made;

    /* The new file is made first: where that can't be done, nothing has been moved yet. */
    snprintf(fresh, sizeof fresh, "%s.new", file_name(files, 0, name));
    made = openat(files->dir_fd, fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (made < 0)
        return -errno;
    remove_excess(files, max_files);
    result = shift(files, max_files);
    if (result == 0 && renameat(files->dir_fd, fresh, files->dir_fd, name) < 0)
        result = -errno;
    if (result < 0) {
        unlinkat(files->dir_fd, fresh, 0);
        close(made);
        return result;
    }
    close(*fd);
    *fd = made;
    return 0;
}

/* ---- reading ---- */

int files_open_youngest(const struct log_files *files)
{
    int fd = -ENOENT;

    for (int64_t number = 0; number <= 1 + HOLE && fd == -ENOENT; number++)
        fd = open_number(files, number);
    return fd;
}

static int64_t oldest_number(const struct log_files *files)
{
    int64_t oldest = 0;

    for (int64_t number = 1; number <= oldest + 1 + HOLE; number++)
        if (!is_free(files, number))
            oldest = number;
    return oldest;
}

static bool written_since(int fd, struct timespec since)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return false;
    return st.st_mtim.tv_sec != since.tv_sec ? st.st_mtim.tv_sec > since.tv_sec
                                             : st.st_mtim.tv_nsec >= since.tv_nsec;
}

int files_open_oldest(const struct log_files *files, struct timespec since)
{
    for (int64_t number = oldest_number(files); number > 0; number--) {
        int fd = open_number(files, number);

        if (fd >= 0 && written_since(fd, since))
            return fd;
        if (fd >= 0)
            close(fd);
    }
    return open_number(files, 0);
}

int files_is_current(const struct log_files *files, int fd)
{
    struct stat ours, current;
    int result = look(files, 0, &current);

    if (result < 0)
        return result;
    if (fstat(fd, &ours) < 0)
        return -errno;
    return ours.st_dev == current.st_dev && ours.st_ino == current.st_ino;
}

static bool stands_at(const struct log_files *files, const struct stat *ours, int64_t number)
{
    struct stat st;

    return look(files, number, &st) == 0 && st.st_dev == ours->st_dev && st.st_ino == ours->st_ino;
}

/* The number of a file, or -1. Upwards, as rotations move it: so it can't slip past. */
static int64_t number_of(const struct log_files *files, const struct stat *ours)
{
    int64_t seen = 0;

    for (int64_t number = 0; number <= seen + 1 + HOLE; number++) {
        if (stands_at(files, ours, number))
            return number;
        if (!is_free(files, number))
            seen = number;
    }
    return -1;
}

/* Opens what stands next to number; *ret_at says where that was. */
static int open_beside(const struct log_files *files, int64_t number,
                       enum files_direction direction, int64_t *ret_at)
{
    int64_t last = direction == FILES_OLDER ? number + 1 + HOLE : 0;
    int fd = -ENOENT;

    for (int64_t at = number + direction; at * direction <= last * direction; at += direction) {
        fd = open_number(files, at);
        *ret_at = at;
        if (fd != -ENOENT)
            break;
    }
    return fd;
}

/* Whether nothing has moved between a file of ours and its neighbour while that was opened. */
static bool unmoved(const struct log_files *files, const struct stat *ours, int64_t number,
                    int64_t at)
{
    int64_t low = at < number ? at : number, high = at < number ? number : at;

    for (int64_t between = low + 1; between < high; between++)
        if (!is_free(files, between))
            return false;
    return stands_at(files, ours, number);
}

int files_open_neighbour(const struct log_files *files, int fd, enum files_direction direction)
{
    struct stat ours;

    for (int i = 0; i < TRIES; i++) {
        int64_t number, at;
        int next;

        if (fstat(fd, &ours) < 0)
            return -errno;
        number = ours.st_nlink == 0 ? -1 : number_of(files, &ours);
        if (number < 0 && ours.st_nlink == 0)
            break;
        if (number < 0)
            continue;
        at = number;
        next = open_beside(files, number, direction, &at);
        if (next < 0 && next != -ENOENT)
            return next;
        if (next < 0 && stands_at(files, &ours, number))
            return -ENOENT;
        if (next >= 0 && unmoved(files, &ours, number, at))
            return next;
        if (next >= 0)
            close(next);
    }
    return -ESTALE;
}
