/* Making, renaming and removing a stream's files. */
#include "files.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

void files_base(const char *service, enum stream stream, char base[static LOG_BASE_SIZE])
{
    snprintf(base, LOG_BASE_SIZE, "%s%s", service, stream == STREAM_STDERR ? ".err" : "");
}

static const char *fresh_name(const struct log_files *files, char name[static LOG_NAME_SIZE])
{
    snprintf(name, LOG_NAME_SIZE, "%s.log.new", files->base);
    return name;
}

static const char *pack_name(const struct log_files *files, char name[static LOG_NAME_SIZE])
{
    snprintf(name, LOG_NAME_SIZE, "%s.log.gz.new", files->base);
    return name;
}

static void remove_form(const struct log_files *files, int64_t number, enum form form)
{
    char name[LOG_NAME_SIZE];

    unlinkat(files->dir_fd, number_name(files, number, form, name), 0);
}

void files_clean(const struct log_files *files)
{
    char name[LOG_NAME_SIZE];
    struct stat st;

    unlinkat(files->dir_fd, fresh_name(files, name), 0);
    files_drop_pack(files);
    /* A pack that stands under a number is whole: only the removal was missing. */
    for (int64_t number = number_oldest(files); number > 0; number--)
        if (number_look(files, number, FORM_PACKED, &st) == 0)
            remove_form(files, number, FORM_PLAIN);
}

int files_open_current(const struct log_files *files)
{
    char name[LOG_NAME_SIZE];
    CLEANUP(closep)
    int fd = FAULTS(log_file)
                 ? -1
                 : openat(files->dir_fd, number_name(files, 0, FORM_PLAIN, name),
                          O_RDWR | O_CREAT | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0640);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? take_fd(&fd) : -EINVAL;
}

/* ---- rotation ---- */

/* The number that the files below it move up to: the first free one, else the oldest kept. */
static int64_t room_at(const struct log_files *files, int64_t max_files)
{
    for (int64_t number = 1; number < max_files; number++)
        if (number_is_free(files, number))
            return number;
    return max_files;
}

/* Files beyond the limit are there when it was lowered. From the top, so that no hole is made. */
static void remove_excess(const struct log_files *files, int64_t max_files)
{
    int64_t top = max_files;

    for (int64_t number = max_files + 1; number <= top + 1 + HOLE; number++)
        if (!number_is_free(files, number))
            top = number;
    for (; top > max_files; top--) {
        remove_form(files, top, FORM_PLAIN);
        remove_form(files, top, FORM_PACKED);
    }
}

/* From the number below, in whichever form. */
static int move_up(const struct log_files *files, int64_t number)
{
    char from[LOG_NAME_SIZE], to[LOG_NAME_SIZE];

    for (int form = 0; form < FORMS; form++) {
        struct stat st;

        if (number_look(files, number - 1, (enum form)form, &st) < 0)
            continue;
        /* The other form of the oldest would not be replaced by it. */
        remove_form(files, number, form == FORM_PLAIN ? FORM_PACKED : FORM_PLAIN);
        if (renameat(files->dir_fd, number_name(files, number - 1, (enum form)form, from),
                     files->dir_fd, number_name(files, number, (enum form)form, to)) < 0 &&
            errno != ENOENT)
            return -errno;
        return 0;
    }
    return 0;
}

static int shift(const struct log_files *files, int64_t max_files)
{
    int result = 0;

    for (int64_t number = max_files > 0 ? room_at(files, max_files) : 0; number > 0 && result == 0;
         number--)
        result = move_up(files, number);
    return result;
}

int files_rotate(const struct log_files *files, int64_t max_files, int *fd)
{
    char name[LOG_NAME_SIZE], fresh[LOG_NAME_SIZE];
    int result, made;

    /* The new file is made first: where that can't be done, nothing has been moved yet. */
    fresh_name(files, fresh);
    unlinkat(files->dir_fd, fresh, 0);
    made = FAULTS(log_fresh) ? -1
                             : openat(files->dir_fd, fresh,
                                      O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (made < 0)
        return -errno;
    remove_excess(files, max_files);
    result = FAULT(log_rename) ?: shift(files, max_files);
    if (result == 0 &&
        renameat(files->dir_fd, fresh, files->dir_fd, number_name(files, 0, FORM_PLAIN, name)) < 0)
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

/* ---- packing ---- */

int files_open_plain(const struct log_files *files)
{
    int64_t oldest = number_oldest(files);
    int fd = -ENOENT;

    for (int64_t number = 1; number <= oldest && fd < 0; number++)
        fd = number_open_form(files, number, FORM_PLAIN);
    return fd;
}

int files_open_pack(const struct log_files *files)
{
    char name[LOG_NAME_SIZE];
    int fd = openat(files->dir_fd, pack_name(files, name),
                    O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);

    return fd < 0 ? -errno : fd;
}

int files_place_pack(const struct log_files *files, const struct stat *source)
{
    char from[LOG_NAME_SIZE], to[LOG_NAME_SIZE];
    int64_t oldest = number_oldest(files);
    int result;

    for (int64_t number = 1; number <= oldest; number++) {
        struct stat st;

        if (number_look(files, number, FORM_PLAIN, &st) < 0 || !same_file(&st, source))
            continue;
        if (renameat(files->dir_fd, pack_name(files, from), files->dir_fd,
                     number_name(files, number, FORM_PACKED, to)) == 0) {
            remove_form(files, number, FORM_PLAIN);
            return 0;
        }
        result = -errno;
        files_drop_pack(files);
        return result;
    }
    files_drop_pack(files); /* it has been dropped as the oldest meanwhile */
    return 0;
}

void files_drop_pack(const struct log_files *files)
{
    char name[LOG_NAME_SIZE];

    unlinkat(files->dir_fd, pack_name(files, name), 0);
}
