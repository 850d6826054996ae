/* way_control - what s6-svc and sv do, without their processes and without polling: "d" into
 * supervise/control, until supervise/status says that it is down, "u", the service's line. "t"
 * alone would let both supervisors wait until the process that ended has been there for a second.
 */
#include "measure.h"
#include "told.h"
#include "way.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define PATIENCE_MS 120000
#define STATUS_MAX  64
#define STATUS_MIN  20 /* runit's: its pid stands at byte 12, the least first */
#define RUNIT_PID   12
#define S6_PID      24 /* eight bytes, the greatest first */

struct way {
    const char *folder; /* of the services' folders */
    struct told told;
    struct control {
        int fifo, changes; /* changes: of the folder supervise */
    } * controls;          /* of service n: controls[n]; -1: not adopted */
    int room;
};

static struct way *way_control_open(const char *where, const char *lines)
{
    struct way *way = calloc(1, sizeof *way);

    if (!way)
        die("out of memory");
    way->folder = where;
    told_init(&way->told, lines);
    return way;
}

/* Status files are replaced as a whole: what is moved to that name is news. */
static struct control control_open(const char *folder, int number)
{
    struct control control;
    char path[4096];

    snprintf(path, sizeof path, "%s/" WAY_NAME "/supervise/control", folder, number);
    control.fifo = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (control.fifo < 0)
        die("open %s: %m", path);
    *strrchr(path, '/') = 0;
    control.changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (control.changes < 0 || inotify_add_watch(control.changes, path, IN_MOVED_TO) < 0)
        die("watch %s: %m", path);
    return control;
}

static void way_control_adopt(struct way *way, int number)
{
    told_adopt(&way->told, number);
    if (number >= way->room) {
        way->controls = reallocarray(way->controls, (size_t)number + 1, sizeof *way->controls);
        if (!way->controls)
            die("out of memory");
        for (; way->room <= number; way->room++)
            way->controls[way->room] = (struct control){-1, -1};
    }
    way->controls[number] = control_open(way->folder, number);
}

static void command(struct way *way, int number, char word)
{
    if (write(way->controls[number].fifo, &word, 1) != 1)
        die("tell the supervisor of service %d \"%c\": %m", number, word);
}

static bool is_down(const struct way *way, int number)
{
    unsigned char status[STATUS_MAX];
    uint32_t least_first;
    uint64_t greatest_first;
    char path[4096];
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "%s/" WAY_NAME "/supervise/status", way->folder, number);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, status, sizeof status);
    if (n < STATUS_MIN)
        die("read %s: %s", path, n < 0 ? strerror(errno) : "too short");
    close(fd);
    if (n == STATUS_MIN) {
        memcpy(&least_first, status + RUNIT_PID, sizeof least_first);
        return le32toh(least_first) == 0;
    }
    memcpy(&greatest_first, status + S6_PID, sizeof greatest_first);
    return be64toh(greatest_first) == 0;
}

static void await_down(const struct way *way, int number)
{
    struct pollfd wait = {.fd = way->controls[number].changes, .events = POLLIN};
    char events[4096];

    while (!is_down(way, number)) {
        int n = poll(&wait, 1, PATIENCE_MS);

        if (n == 0)
            die("service %d does not end", number);
        if (n > 0 && read(wait.fd, events, sizeof events) < 0 && errno != EAGAIN)
            die("read what changed: %m");
    }
}

static void way_control_restart(struct way *way, int number)
{
    command(way, number, 'd');
    await_down(way, number);
    command(way, number, 'u');
    told_await_next(&way->told, number);
}

static void way_control_close(struct way *way)
{
    told_deinit(&way->told);
    for (int n = 0; n < way->room; n++) {
        if (way->controls[n].fifo < 0)
            continue;
        close(way->controls[n].fifo);
        close(way->controls[n].changes);
    }
    free(way->controls);
    free(way);
}

const struct way_ops way_control = {
    .open = way_control_open,
    .adopt = way_control_adopt,
    .restart = way_control_restart,
    .close = way_control_close,
};
