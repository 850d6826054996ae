#include "reserve.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define SIZE      (4 << 20)
#define ROOM      (256 << 10)
#define FILE_MODE 0600
#define TRY_EVERY (2 * USEC_PER_SEC)

int reserve_init(struct reserve *reserve, const char *database, struct error *err)
{
    *reserve = (struct reserve){.state = RESERVE_NONE};
    if (asprintf(&reserve->path, "%s-reserve", database) < 0) {
        reserve->path = NULL;
        return error_set(err, -ENOMEM, "journal %s: %m", database);
    }
    return 0;
}

void reserve_deinit(struct reserve *reserve)
{
    free(reserve->path);
}

/* Blocks that are there already are kept: a file with holes is filled. */
static int allocate(const char *path)
{
    CLEANUP(closep)
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if (st.st_size >= SIZE && (int64_t)st.st_blocks * 512 >= SIZE)
        return 0;
    return FAULT(journal_reserve) ?: -posix_fallocate(fd, 0, SIZE);
}

bool reserve_make(struct reserve *reserve)
{
    int64_t now = clock_mono_us();

    if (reserve->state != RESERVE_HELD && now >= reserve->next_try) {
        reserve->next_try = now + TRY_EVERY;
        if (allocate(reserve->path) == 0)
            reserve->state = RESERVE_HELD;
        else
            unlink(reserve->path); /* a part of it would only take what little is left */
    }
    return reserve->state == RESERVE_HELD;
}

bool reserve_room(struct reserve *reserve)
{
    off_t held = reserve->state == RESERVE_HELD ? SIZE : 0;
    CLEANUP(closep)
    int fd = open(reserve->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
    bool room = fd >= 0 && posix_fallocate(fd, held, ROOM) == 0;

    if (held == 0)
        unlink(reserve->path);
    else if (fd >= 0 && ftruncate(fd, held) < 0)
        reserve->state = RESERVE_NONE; /* whatever it is, it is not what was made */
    return room;
}

bool reserve_give_up(struct reserve *reserve)
{
    bool given =
        reserve->state == RESERVE_HELD && !FAULTS(journal_give_up) && unlink(reserve->path) == 0;

    if (given)
        reserve->state = RESERVE_GIVEN;
    else if (reserve->state == RESERVE_HELD)
        reserve->state = RESERVE_NONE; /* somebody has removed it */
    reserve->next_try = clock_mono_us() + TRY_EVERY;
    return given;
}
