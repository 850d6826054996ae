#include "identity.h"

#include "backend/process.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

ssize_t small_read(const char *path, char *data, size_t size)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n;

    if (fd < 0)
        return -errno;
    while (len < size - 1 && (n = read(fd, data + len, size - 1 - len)) != 0) {
        if (n < 0)
            return -errno;
        len += (size_t)n;
    }
    data[len] = '\0';
    return (ssize_t)len;
}

int process_stat(pid_t pid, struct process_stat *ret_stat)
{
    struct process_stat st = {.pid = pid};
    char path[32], line[1024];
    unsigned long long ticks;
    const char *rest;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    n = small_read(path, line, sizeof line);
    if (n == -EMFILE || n == -ENFILE || n == -ENOMEM) /* it may well be there */
        return (int)n;
    if (n <= 0)
        return -ESRCH;
    rest = strrchr(line, ')'); /* the name before it may hold anything */
    if (!rest || sscanf(rest + 1,
                        " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                        "%*d %*d %llu",
                        &st.state, &st.parent, &ticks) != 3)
        return -ESRCH;
    st.ticks = ticks;
    *ret_stat = st;
    return 0;
}

int process_open(pid_t pid, uint64_t ticks)
{
    struct process_stat st;
    int r, fd = pid > 0 ? (FAULT(adopt_pidfd) ?: sys_pidfd_open(pid)) : -ESRCH;

    if (fd < 0)
        return fd == -EINVAL ? -ESRCH : fd; /* EINVAL: a thread's number by now */
    /* Compared after it was opened: from here on the descriptor can't come to mean another. */
    r = process_stat(pid, &st);
    if (r < 0 || st.ticks != ticks) {
        close(fd);
        return r < 0 ? r : -ESRCH;
    }
    return fd;
}

/* The kernel says 0 to those who may not know; the same are refused the link. */
static bool may_know(pid_t pid)
{
    char path[40], text[64];

    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
    return readlink(path, text, sizeof text) > 0;
}

int process_zombie_status(pid_t pid, int pidfd, int *ret_wait_status)
{
    char path[32], line[1024], state = 0;
    const char *rest, *last;
    int status;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (small_read(path, line, sizeof line) <= 0)
        return -ESRCH;
    rest = strrchr(line, ')');
    last = strrchr(line, ' ');
    if (!rest || sscanf(rest + 1, " %c", &state) != 1 || state != 'Z' ||
        sscanf(last, " %d", &status) != 1)
        return -ESRCH;
    if (status == 0 && !may_know(pid))
        return -EACCES;
    if (sys_pidfd_send_signal(pidfd, 0) < 0)
        return -ESRCH; /* reaped meanwhile: the number may have been another's */
    *ret_wait_status = status;
    return 0;
}

int boot_identity(char text[static BOOT_IDENTITY_SIZE], struct error *err)
{
    char boot[40], space[32];
    struct process_stat first = {0};
    ssize_t n = small_read("/proc/sys/kernel/random/boot_id", boot, sizeof boot);

    if (n < 0)
        return error_set(err, (int)n, "read /proc/sys/kernel/random/boot_id: %m");
    boot[strcspn(boot, "\n")] = '\0';
    n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    if (n < 0)
        return error_set(err, -errno, "read /proc/self/ns/pid: %m");
    space[n] = '\0';
    process_stat(1, &first); /* hidden from some users: 0 then, every time */
    snprintf(text, BOOT_IDENTITY_SIZE, "%s:%s:%llu", boot, space, (unsigned long long)first.ticks);
    return 0;
}
