/* setup - makes of this process what the service is to be, step by step: what needs privileges
 * first, the directory as the service's user. */
#include "executor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGNAL_SET_SIZE (64 / 8) /* the kernel's */

static bool failed(struct failure *f, enum exec_step step)
{
    *f = (struct failure){.step = step, .error = errno};
    return false;
}

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n;
    int error;

    if (fd < 0)
        return false;
    n = write(fd, text, strlen(text));
    error = errno;
    close(fd);
    errno = error;
    return n >= 0;
}

bool setup_cgroup(const struct settings *s, struct failure *f)
{
    char path[4096];

    if (s->cgroup[0] == '\0')
        return true;
    if (snprintf(path, sizeof path, "%s/cgroup.procs", s->cgroup) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return failed(f, STEP_CGROUP);
    }
    return write_file(path, "0") || failed(f, STEP_CGROUP);
}

/* fd takes the number that the service is to find it at, and stays open over exec. */
static bool place(int fd, int number)
{
    if (fd < 0)
        return false;
    if (fd == number)
        return true;
    if (dup2(fd, number) < 0)
        return false;
    close(fd);
    return true;
}

/* A FIFO is opened read-write: it neither waits for its reader now nor breaks when that dies. */
static bool output(const char *fifo, int number)
{
    return place(fifo[0] ? open(fifo, O_RDWR | O_NOCTTY) : open("/dev/null", O_WRONLY), number);
}

bool setup_null_stdio(void)
{
    return place(open("/dev/null", O_RDONLY), 0) && output("", 1) && dup2(1, 2) >= 0;
}

static bool stdio(const struct settings *s, struct failure *f)
{
    if (!place(open("/dev/null", O_RDONLY), 0) || !output(s->output, 1))
        return failed(f, STEP_STDIO);
    if (s->error_output[0])
        return output(s->error_output, 2) || failed(f, STEP_ERROR_OUTPUT);
    return dup2(1, 2) >= 0 || failed(f, STEP_STDIO);
}

static bool limit(int resource, uint64_t soft, uint64_t hard)
{
    struct rlimit limits = {.rlim_cur = soft, .rlim_max = hard};

    return setrlimit(resource, &limits) == 0;
}

static bool limits(const struct exec_settings *h)
{
    if ((h->flags & EXEC_SET_NOFILE) && !limit(RLIMIT_NOFILE, h->nofile_soft, h->nofile_hard))
        return false;
    return !(h->flags & EXEC_SET_CORE) || limit(RLIMIT_CORE, h->core, h->core);
}

static bool oom_score(const struct exec_settings *h)
{
    char text[16];

    if (!(h->flags & EXEC_SET_OOM))
        return true;
    snprintf(text, sizeof text, "%d", (int)h->oom_score_adjust);
    return write_file("/proc/self/oom_score_adj", text);
}

static bool user(const struct settings *s, struct failure *f)
{
    const struct exec_settings *h = s->header;

    if (!(h->flags & EXEC_SET_USER))
        return true;
    if (setgroups(h->group_count, s->groups) < 0 || setresgid(h->gid, h->gid, h->gid) < 0)
        return failed(f, STEP_GROUPS);
    return setresuid(h->uid, h->uid, h->uid) == 0 || failed(f, STEP_USER);
}

void setup_signals(void)
{
    /* The kernel's own calls: the C library keeps some signals for itself, and another one may
     * have left them ignored. All zero is the default action, and the empty set. */
    const unsigned long zero[8] = {0};

    for (int signal = 1; signal < NSIG; signal++)
        syscall(SYS_rt_sigaction, signal, zero, NULL, SIGNAL_SET_SIZE);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, zero, NULL, SIGNAL_SET_SIZE);
}

bool setup_all(const struct settings *s, struct failure *f)
{
    const struct exec_settings *h = s->header;

    if (!oom_score(h))
        return failed(f, STEP_OOM);
    if (!stdio(s, f))
        return false;
    if (s->ready[0] && !place(open(s->ready, O_RDWR | O_NOCTTY), EXEC_READY_FD))
        return failed(f, STEP_READY);
    if (!limits(h)) /* nothing is opened after it: it may be as low as what is open */
        return failed(f, STEP_LIMITS);
    if (!user(s, f))
        return false;
    umask((mode_t)h->umask);
    if (chdir(s->directory[0] ? s->directory : "/") < 0)
        return failed(f, STEP_DIRECTORY);
    return true;
}
