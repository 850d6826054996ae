/* Walking along a stream's files while they are being renamed and packed. */
#include "files.h"
#include "numbers.h"
#include "pack.h"

#include <errno.h>
#include <unistd.h>

#define TRIES 32 /* rotations that may come in between */

int files_open_youngest(const struct log_files *files, bool *ret_packed)
{
    int fd = -ENOENT;

    for (int64_t number = 0; number <= 1 + HOLE && fd == -ENOENT; number++)
        fd = number_open(files, number, ret_packed);
    return fd;
}

static bool written_since(int fd, struct timespec since)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return false;
    return st.st_mtim.tv_sec != since.tv_sec ? st.st_mtim.tv_sec > since.tv_sec
                                             : st.st_mtim.tv_nsec >= since.tv_nsec;
}

int files_open_oldest(const struct log_files *files, struct timespec since, bool *ret_packed)
{
    for (int64_t number = number_oldest(files); number > 0; number--) {
        int fd = number_open(files, number, ret_packed);

        if (fd >= 0 && written_since(fd, since))
            return fd;
        if (fd >= 0)
            close(fd);
    }
    return number_open(files, 0, ret_packed);
}

int files_last_rotation(const struct log_files *files, struct timespec *ret_time)
{
    struct stat st;
    int result = number_look(files, 1, FORM_PLAIN, &st);

    if (result == -ENOENT)
        result = number_look(files, 1, FORM_PACKED, &st);
    if (result == 0)
        *ret_time = st.st_mtim;
    return result;
}

int files_is_current(const struct log_files *files, int fd)
{
    struct stat ours, current;
    int result = number_look(files, 0, FORM_PLAIN, &current);

    if (result < 0)
        return result;
    return fstat(fd, &ours) < 0 ? -errno : same_file(&ours, &current);
}

/* Whether the packed file there was made of ours, which has been removed since. */
static bool is_packed_at(const struct log_files *files, const struct stat *ours, int64_t number)
{
    int fd = number_open_form(files, number, FORM_PACKED);
    bool found;

    if (fd < 0)
        return false;
    found = pack_is_of(fd, ours);
    close(fd);
    return found;
}

static bool stands_at(const struct log_files *files, const struct stat *ours, int64_t number)
{
    struct stat st;

    for (int form = 0; form < FORMS; form++)
        if (number_look(files, number, (enum form)form, &st) == 0 && same_file(ours, &st))
            return true;
    return ours->st_nlink == 0 && is_packed_at(files, ours, number);
}

/* The number of a file, or -1. Upwards, as rotations move it: so it can't slip past. */
static int64_t number_of(const struct log_files *files, const struct stat *ours)
{
    int64_t seen = 0;

    for (int64_t number = 0; number <= seen + 1 + HOLE; number++) {
        if (stands_at(files, ours, number))
            return number;
        if (!number_is_free(files, number))
            seen = number;
    }
    return -1;
}

/* Opens what stands next to number; *ret_at says where that was. */
static int open_beside(const struct log_files *files, int64_t number,
                       enum files_direction direction, int64_t *ret_at, bool *ret_packed)
{
    int64_t last = direction == FILES_OLDER ? number + 1 + HOLE : 0;
    int fd = -ENOENT;

    for (int64_t at = number + direction; at * direction <= last * direction; at += direction) {
        fd = number_open(files, at, ret_packed);
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
        if (!number_is_free(files, between))
            return false;
    return stands_at(files, ours, number);
}

int files_open_neighbour(const struct log_files *files, int fd, enum files_direction direction,
                         bool *ret_packed)
{
    struct stat ours;

    for (int i = 0; i < TRIES; i++) {
        int64_t number, at;
        int next;

        if (fstat(fd, &ours) < 0)
            return -errno;
        number = number_of(files, &ours);
        if (number < 0 && ours.st_nlink == 0)
            break;
        if (number < 0)
            continue;
        at = number;
        next = open_beside(files, number, direction, &at, ret_packed);
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
